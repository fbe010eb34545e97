#include "connectors/file/sink/compressing_encoder.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "connectors/file/hadoop_blocks.h"

namespace tidemill::connectors {

namespace {

struct Compression {
  std::string_view name;
  std::string_view extension;
  arrow::Compression::type type = arrow::Compression::UNCOMPRESSED;
  arrow::util::GZipFormat gzip_format = arrow::util::GZipFormat::GZIP;
};

constexpr std::array<Compression, 8> kCompressions = {{
    {"none", ""},
    {"uncompressed", ""},
    {"gzip", ".gz", arrow::Compression::GZIP},
    {"bzip2", ".bz2", arrow::Compression::BZ2},
    {"deflate", ".deflate", arrow::Compression::GZIP, arrow::util::GZipFormat::ZLIB},
    {"zstd", ".zst", arrow::Compression::ZSTD},
    {"snappy", ".snappy", arrow::Compression::SNAPPY},
    {"lz4", ".lz4", arrow::Compression::LZ4_HADOOP},
}};

// Null for a name that is none of them.
const Compression* Find(const Options& options) {
  const std::string name =
      AsciiLower(options.GetString("compression", options.GetString("codec", "none")));
  const auto* const found = std::find_if(kCompressions.begin(), kCompressions.end(),
                                         [&](const Compression& c) { return c.name == name; });
  return found == kCompressions.end() ? nullptr : found;
}

class CompressingEncoder final : public FileEncoder {
 public:
  CompressingEncoder(std::unique_ptr<FileEncoder> encoder,
                     std::shared_ptr<arrow::util::Compressor> compressor)
      : encoder_(std::move(encoder)), compressor_(std::move(compressor)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    plain_.clear();
    ARROW_RETURN_NOT_OK(encoder_->Append(batch, &plain_));
    return CompressPlain(out);
  }

  arrow::Status Finish(std::string* out) override {
    plain_.clear();
    ARROW_RETURN_NOT_OK(encoder_->Finish(&plain_));
    ARROW_RETURN_NOT_OK(CompressPlain(out));
    size_t room = kRoom;
    while (true) {
      const size_t filled = out->size();
      out->resize(filled + room);
      ARROW_ASSIGN_OR_RAISE(const auto end,
                            compressor_->End(static_cast<int64_t>(room),
                                             reinterpret_cast<uint8_t*>(out->data()) + filled));
      out->resize(filled + end.bytes_written);
      if (!end.should_retry) return arrow::Status::OK();
      room *= 2;
    }
  }

 private:
  static constexpr size_t kRoom = size_t{64} << 10;

  arrow::Status CompressPlain(std::string* out) {
    const auto* at = reinterpret_cast<const uint8_t*>(plain_.data());
    auto left = static_cast<int64_t>(plain_.size());
    size_t room = kRoom;
    while (left > 0) {
      const size_t filled = out->size();
      out->resize(filled + room);
      ARROW_ASSIGN_OR_RAISE(
          const auto step, compressor_->Compress(left, at, static_cast<int64_t>(room),
                                                 reinterpret_cast<uint8_t*>(out->data()) + filled));
      out->resize(filled + step.bytes_written);
      at += step.bytes_read;
      left -= step.bytes_read;
      if (step.bytes_read == 0 && step.bytes_written == 0) room *= 2;
    }
    return arrow::Status::OK();
  }

  const std::unique_ptr<FileEncoder> encoder_;
  const std::shared_ptr<arrow::util::Compressor> compressor_;
  std::string plain_;
};

arrow::Result<std::shared_ptr<arrow::util::Compressor>> MakeCompressor(
    const Compression& compression) {
  if (IsHadoopCompression(compression.type)) return MakeHadoopCompressor(compression.type);
  std::unique_ptr<arrow::util::Codec> codec;
  if (compression.type == arrow::Compression::GZIP) {
    arrow::util::GZipCodecOptions gzip;
    gzip.gzip_format = compression.gzip_format;
    ARROW_ASSIGN_OR_RAISE(codec, arrow::util::Codec::Create(compression.type, gzip));
  } else {
    ARROW_ASSIGN_OR_RAISE(codec, arrow::util::Codec::Create(compression.type));
  }
  return codec->MakeCompressor();
}

}  // namespace

arrow::Status CheckCompression(const Options& options) {
  if (Find(options) != nullptr) return arrow::Status::OK();
  const std::string name = options.GetString("compression", options.GetString("codec", ""));
  return WithHint(MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                            fmt::format("option compression: not supported: value={}", name)),
                  "none, gzip, bzip2, deflate, zstd, snappy and lz4 are");
}

std::string_view CompressionExtension(const Options& options) { return Find(options)->extension; }

arrow::Result<std::unique_ptr<FileEncoder>> Compress(std::unique_ptr<FileEncoder> encoder,
                                                     const Options& options) {
  const Compression& compression = *Find(options);
  if (compression.type == arrow::Compression::UNCOMPRESSED) return encoder;
  ARROW_ASSIGN_OR_RAISE(auto compressor, MakeCompressor(compression));
  return std::make_unique<CompressingEncoder>(std::move(encoder), std::move(compressor));
}

}  // namespace tidemill::connectors
