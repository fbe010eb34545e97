#pragma once

#include <arrow/result.h>
#include <arrow/util/type_fwd.h>

#include <memory>

namespace tidemill::connectors {

// The .snappy and .lz4 text files of Hadoop, and so of Spark, which no other library writes: blocks
// of a big-endian 4-byte plain length, then chunks of a big-endian 4-byte compressed length and
// that many bytes of raw Snappy or LZ4 until the block's plain length is reached (Hadoop's
// BlockCompressorStream). There is no end mark and no checksum: a file may end behind any block.
// `compression` is one of these two:
inline bool IsHadoopCompression(arrow::Compression::type compression) {
  return compression == arrow::Compression::SNAPPY || compression == arrow::Compression::LZ4_HADOOP;
}

arrow::Result<std::shared_ptr<arrow::util::Compressor>> MakeHadoopCompressor(
    arrow::Compression::type compression);
// Finished whenever it stands behind a block. Errors: IOError for damage, and for chunks that no
// Hadoop would read.
arrow::Result<std::shared_ptr<arrow::util::Decompressor>> MakeHadoopDecompressor(
    arrow::Compression::type compression);

}  // namespace tidemill::connectors
