#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Worker half of text: one row a line. Bytes are taken as they are, also where they are not UTF-8.
// A line of more than 512 MiB is RECORD_TOO_LARGE (kResource).
arrow::Result<std::unique_ptr<SourceReader>> MakeTextReader(const SourceSpec& spec,
                                                            const std::vector<int>& columns);

}  // namespace tidemill::connectors
