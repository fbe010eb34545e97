#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

// One STRING column, a line each; NULL is an empty line, as in Spark. Option lineSep.
arrow::Result<std::unique_ptr<FileEncoder>> MakeTextEncoder(const SinkSpec& spec,
                                                            std::shared_ptr<const TimeZone> zone);
arrow::Status CheckText(const SinkSpec& spec);

// Rows as JsonRowWriter writes them, a line each. Option lineSep.
arrow::Result<std::unique_ptr<FileEncoder>> MakeJsonEncoder(const SinkSpec& spec,
                                                            std::shared_ptr<const TimeZone> zone);
arrow::Status CheckJson(const SinkSpec& spec);

}  // namespace tidemill::connectors
