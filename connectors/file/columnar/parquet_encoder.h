#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

// Parquet as Spark and others read it: TIMESTAMP is INT64 microseconds adjusted to UTC,
// TIMESTAMP_NTZ the same not adjusted, DECIMAL the smallest integer that holds it, lists have three
// levels. Row groups of 1 Mi rows or 128 MiB. Option compression: snappy (default), zstd, gzip,
// lz4, lz4_raw, brotli, none, uncompressed.
arrow::Result<std::unique_ptr<FileEncoder>> MakeParquetEncoder(
    const SinkSpec& spec, std::shared_ptr<const TimeZone> zone);
arrow::Status CheckParquet(const SinkSpec& spec);

}  // namespace tidemill::connectors
