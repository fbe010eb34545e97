#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

// ORC as Spark reads it: TIMESTAMP is "timestamp with local time zone" (an instant wherever it is
// read), TIMESTAMP_NTZ a BIGINT with Spark's mark. Option compression: zstd (default, as in Spark
// 4), snappy, zlib, lz4, none, uncompressed.
arrow::Result<std::unique_ptr<FileEncoder>> MakeOrcEncoder(const SinkSpec& spec,
                                                           std::shared_ptr<const TimeZone> zone);
arrow::Status CheckOrc(const SinkSpec& spec);

}  // namespace tidemill::connectors
