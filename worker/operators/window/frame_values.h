#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "worker/operators/window/frames.h"
#include "worker/operators/window/sorted_partitions.h"

namespace tidemill::worker {

// Functions that give the value of another row. `values` has a value for each sorted row; with
// `ignore_nulls` rows whose value is NULL do not count.

// The value `offset` rows behind the row (in front of it where negative) within the partition; from
// `fallback`, by row, where there is no such row.
arrow::Result<std::shared_ptr<arrow::Array>> ValuesAtOffset(
    const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& fallback,
    int64_t offset, bool ignore_nulls, const SortedPartitions& sorted);

// The value of row `n` of the frame, counted from 1, or from its end with -1, -2, ...; NULL where
// the frame is shorter.
arrow::Result<std::shared_ptr<arrow::Array>> ValuesInFrame(
    const std::shared_ptr<arrow::Array>& values, int64_t n, bool ignore_nulls,
    const Frames& frames);

}  // namespace tidemill::worker
