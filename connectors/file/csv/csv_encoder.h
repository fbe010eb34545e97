#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

// Lines of a CsvWriter. A row that is empty text (one NULL column) is left out, which Spark does
// too.
arrow::Result<std::unique_ptr<FileEncoder>> MakeCsvEncoder(const SinkSpec& spec,
                                                           std::shared_ptr<const TimeZone> zone);
arrow::Status CheckCsv(const SinkSpec& spec);

}  // namespace tidemill::connectors
