#include "connectors/file/compression.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "connectors/file/hadoop_blocks.h"

namespace tidemill::connectors {

arrow::Result<arrow::Compression::type> CompressionOf(std::string_view path) {
  const std::string name = BaseName(path);
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return arrow::Compression::UNCOMPRESSED;
  const std::string_view extension = std::string_view(name).substr(dot);
  // What reads gzip tells zlib's format, which is .deflate, by its first bytes.
  if (extension == ".gz" || extension == ".gzip" || extension == ".deflate") {
    return arrow::Compression::GZIP;
  }
  if (extension == ".zst") return arrow::Compression::ZSTD;
  if (extension == ".bz2") return arrow::Compression::BZ2;
  if (extension == ".snappy") return arrow::Compression::SNAPPY;
  if (extension == ".lz4") return arrow::Compression::LZ4_HADOOP;
  constexpr std::array<std::string_view, 3> kRefused = {".xz", ".lzo", ".br"};
  for (const std::string_view refused : kRefused) {
    if (extension != refused) continue;
    return WithHint(MakeError(ErrorKind::kInvalid, "UNSUPPORTED_COMPRESSION",
                              fmt::format("compressed file cannot be read: path={}", path)),
                    "gzip (.gz), zstd (.zst), bzip2 (.bz2), zlib (.deflate) and Hadoop's .snappy "
                    "and .lz4 can");
  }
  return arrow::Compression::UNCOMPRESSED;
}

arrow::Result<std::unique_ptr<Inflater>> Inflater::Make(arrow::Compression::type compression) {
  std::shared_ptr<arrow::util::Decompressor> decompressor;
  if (IsHadoopCompression(compression)) {
    ARROW_ASSIGN_OR_RAISE(decompressor, MakeHadoopDecompressor(compression));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto codec, arrow::util::Codec::Create(compression));
    ARROW_ASSIGN_OR_RAISE(decompressor, codec->MakeDecompressor());
  }
  return std::unique_ptr<Inflater>(new Inflater(std::move(decompressor)));
}

Inflater::Inflater(std::shared_ptr<arrow::util::Decompressor> decompressor)
    : decompressor_(std::move(decompressor)) {}

Inflater::~Inflater() = default;

arrow::Result<Inflater::Step> Inflater::Inflate(std::string_view input, char* output,
                                                int64_t output_size) {
  if (decompressor_->IsFinished()) {
    if (input.empty()) return Step{};
    ARROW_RETURN_NOT_OK(decompressor_->Reset());
  }
  const auto decompressed = decompressor_->Decompress(
      static_cast<int64_t>(input.size()), reinterpret_cast<const uint8_t*>(input.data()),
      output_size, reinterpret_cast<uint8_t*>(output));
  if (!decompressed.ok()) {
    return MakeError(ErrorKind::kJobFailed, "CORRUPT_COMPRESSED_FILE",
                     decompressed.status().message());
  }
  const auto& result = *decompressed;
  if (result.bytes_read > 0 || result.bytes_written > 0) has_open_stream_ = true;
  if (decompressor_->IsFinished()) has_open_stream_ = false;
  return Step{.consumed = result.bytes_read, .produced = result.bytes_written};
}

}  // namespace tidemill::connectors
