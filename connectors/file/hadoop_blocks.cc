#include "connectors/file/hadoop_blocks.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace tidemill::connectors {

namespace {

using arrow::util::Codec;

constexpr size_t kLengthBytes = 4;
// Hadoop's buffers are 256 KiB unless somebody set them: what we write must fit, and what we read
// may be larger.
constexpr size_t kBlockBytes = size_t{128} << 10;
constexpr uint32_t kLargestChunk = 16 << 20;

void AppendLength(size_t length, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(length >> shift));
}

uint32_t LengthOf(const std::string& bytes) {
  uint32_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

arrow::Result<std::unique_ptr<Codec>> RawCodec(arrow::Compression::type compression) {
  return Codec::Create(compression == arrow::Compression::LZ4_HADOOP ? arrow::Compression::LZ4
                                                                     : compression);
}

// Bytes that somebody else has no room for yet.
class Pending {
 public:
  bool empty() const { return at_ == bytes_.size(); }
  // For new bytes; only when it is empty.
  std::string* Refill() {
    at_ = 0;
    bytes_.clear();
    return &bytes_;
  }
  int64_t MoveTo(uint8_t* out, int64_t room) {
    const size_t size = std::min(bytes_.size() - at_, static_cast<size_t>(room));
    if (size > 0) std::memcpy(out, bytes_.data() + at_, size);
    at_ += size;
    return static_cast<int64_t>(size);
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

class HadoopCompressor final : public arrow::util::Compressor {
 public:
  explicit HadoopCompressor(std::unique_ptr<Codec> codec) : codec_(std::move(codec)) {}

  arrow::Result<CompressResult> Compress(int64_t input_size, const uint8_t* input,
                                         int64_t output_size, uint8_t* output) override {
    CompressResult result{.bytes_read = 0, .bytes_written = 0};
    while (true) {
      result.bytes_written +=
          pending_.MoveTo(output + result.bytes_written, output_size - result.bytes_written);
      if (!pending_.empty() || result.bytes_read == input_size) return result;
      const size_t size = std::min(static_cast<size_t>(input_size - result.bytes_read),
                                   kBlockBytes - plain_.size());
      plain_.append(reinterpret_cast<const char*>(input + result.bytes_read), size);
      result.bytes_read += static_cast<int64_t>(size);
      if (plain_.size() == kBlockBytes) ARROW_RETURN_NOT_OK(EndBlock());
    }
  }

  arrow::Result<FlushResult> Flush(int64_t output_size, uint8_t* output) override {
    if (pending_.empty()) ARROW_RETURN_NOT_OK(EndBlock());
    const int64_t written = pending_.MoveTo(output, output_size);
    return FlushResult{.bytes_written = written, .should_retry = !pending_.empty()};
  }

  arrow::Result<EndResult> End(int64_t output_size, uint8_t* output) override {
    // What Compress had no room for comes before the last block.
    const int64_t written = pending_.MoveTo(output, output_size);
    ARROW_ASSIGN_OR_RAISE(const FlushResult rest, Flush(output_size - written, output + written));
    return EndResult{.bytes_written = written + rest.bytes_written,
                     .should_retry = rest.should_retry || !plain_.empty()};
  }

 private:
  arrow::Status EndBlock() {
    if (plain_.empty()) return arrow::Status::OK();
    const auto* plain = reinterpret_cast<const uint8_t*>(plain_.data());
    const auto plain_size = static_cast<int64_t>(plain_.size());
    std::string compressed(codec_->MaxCompressedLen(plain_size, plain), '\0');
    ARROW_ASSIGN_OR_RAISE(
        const int64_t size,
        codec_->Compress(plain_size, plain, static_cast<int64_t>(compressed.size()),
                         reinterpret_cast<uint8_t*>(compressed.data())));
    std::string* out = pending_.Refill();
    AppendLength(plain_.size(), out);
    AppendLength(size, out);
    out->append(compressed, 0, size);
    plain_.clear();
    return arrow::Status::OK();
  }

  const std::unique_ptr<Codec> codec_;
  std::string plain_;  // of the open block
  Pending pending_;    // a compressed block
};

class HadoopDecompressor final : public arrow::util::Decompressor {
 public:
  explicit HadoopDecompressor(std::unique_ptr<Codec> codec) : codec_(std::move(codec)) {}

  arrow::Result<DecompressResult> Decompress(int64_t input_size, const uint8_t* input,
                                             int64_t output_size, uint8_t* output) override {
    Input rest{.at = input, .size = input_size};
    int64_t written = 0;
    while (true) {
      written += plain_.MoveTo(output + written, output_size - written);
      if (!plain_.empty()) break;
      ARROW_ASSIGN_OR_RAISE(const bool has_more, NextChunk(&rest));
      if (!has_more) break;
    }
    return DecompressResult{.bytes_read = input_size - rest.size,
                            .bytes_written = written,
                            .need_more_output = !plain_.empty()};
  }

  bool IsFinished() override { return plain_.empty() && block_left_ == 0 && part_.empty(); }

  arrow::Status Reset() override {
    plain_.Refill();
    part_.clear();
    block_left_ = 0;
    chunk_size_ = 0;
    return arrow::Status::OK();
  }

 private:
  struct Input {
    const uint8_t* at = nullptr;
    int64_t size = 0;
  };

  // Takes bytes until `part_` has this many; false where the input ends before.
  bool Gather(size_t size, Input* input) {
    const size_t taken = std::min(size - part_.size(), static_cast<size_t>(input->size));
    part_.append(reinterpret_cast<const char*>(input->at), taken);
    input->at += taken;
    input->size -= static_cast<int64_t>(taken);
    return part_.size() == size;
  }

  // Fills `plain_`, also with nothing; false where the input ends before.
  arrow::Result<bool> NextChunk(Input* input) {
    if (block_left_ == 0) {
      if (!Gather(kLengthBytes, input)) return false;
      block_left_ = LengthOf(part_);
      part_.clear();
      return true;
    }
    if (chunk_size_ == 0) {
      if (!Gather(kLengthBytes, input)) return false;
      chunk_size_ = LengthOf(part_);
      part_.clear();
      if (chunk_size_ == 0 || chunk_size_ > kLargestChunk) {
        return arrow::Status::IOError(fmt::format("chunk of {} bytes", chunk_size_));
      }
    }
    if (!Gather(chunk_size_, input)) return false;
    ARROW_RETURN_NOT_OK(DecompressChunk());
    part_.clear();
    chunk_size_ = 0;
    return true;
  }

  arrow::Status DecompressChunk() {
    std::string* out = plain_.Refill();
    out->resize(std::min(block_left_, kLargestChunk));
    ARROW_ASSIGN_OR_RAISE(const int64_t size,
                          codec_->Decompress(static_cast<int64_t>(part_.size()),
                                             reinterpret_cast<const uint8_t*>(part_.data()),
                                             static_cast<int64_t>(out->size()),
                                             reinterpret_cast<uint8_t*>(out->data())));
    if (size <= 0) return arrow::Status::IOError("a chunk of nothing");
    out->resize(size);
    block_left_ -= static_cast<uint32_t>(size);
    return arrow::Status::OK();
  }

  const std::unique_ptr<Codec> codec_;
  std::string part_;         // of a length or a chunk that is not whole yet
  uint32_t block_left_ = 0;  // plain bytes that the open block still has
  uint32_t chunk_size_ = 0;  // 0: not known yet
  Pending plain_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::util::Compressor>> MakeHadoopCompressor(
    arrow::Compression::type compression) {
  ARROW_ASSIGN_OR_RAISE(auto codec, RawCodec(compression));
  return std::make_shared<HadoopCompressor>(std::move(codec));
}

arrow::Result<std::shared_ptr<arrow::util::Decompressor>> MakeHadoopDecompressor(
    arrow::Compression::type compression) {
  ARROW_ASSIGN_OR_RAISE(auto codec, RawCodec(compression));
  return std::make_shared<HadoopDecompressor>(std::move(codec));
}

}  // namespace tidemill::connectors
