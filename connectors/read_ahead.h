#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/source.h"

namespace tidemill::connectors {

// How many batches are decoded before they are asked for.
inline constexpr size_t kReadAheadBatches = 4;

// Opens a split whose batches are made on the I/O executor, ahead of the one who takes them: for a
// reader that computes meanwhile, where other threads would have nothing to do. Gives what
// `source` itself gives. Without an I/O executor this is source->Open.
arrow::Result<std::unique_ptr<SplitReader>> OpenAhead(const std::shared_ptr<SourceReader>& source,
                                                      const Split& split,
                                                      const ReaderContext& context);

}  // namespace tidemill::connectors
