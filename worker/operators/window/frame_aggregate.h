#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>

#include "worker/aggregates/aggregate_kernel.h"
#include "worker/operators/window/frames.h"

namespace tidemill::worker {

// The aggregate of each row's frame. `args` have a value for each sorted row. A frame that begins
// where the one before it does adds its further rows to that one's accumulator; any other frame is
// computed anew. Errors: the kernel's.
arrow::Result<std::shared_ptr<arrow::Array>> AggregateFrames(
    const AggregateKernel& kernel, std::span<const std::shared_ptr<arrow::Array>> args,
    const Frames& frames, arrow::MemoryPool* pool);

}  // namespace tidemill::worker
