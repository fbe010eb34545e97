#pragma once

#include <arrow/result.h>

#include <memory>
#include <string_view>

#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

// The option `compression` (or `codec`) of text files: none, uncompressed, gzip, bzip2, deflate,
// zstd, snappy, lz4 (the last two as Hadoop writes them). What Spark has besides is refused by
// name.
arrow::Status CheckCompression(const Options& options);
// ".gz"; "" without compression.
std::string_view CompressionExtension(const Options& options);
// `encoder` itself without compression.
arrow::Result<std::unique_ptr<FileEncoder>> Compress(std::unique_ptr<FileEncoder> encoder,
                                                     const Options& options);

}  // namespace tidemill::connectors
