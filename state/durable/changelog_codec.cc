#include "state/durable/changelog_codec.h"

#include <arrow/util/compression.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace tidemill::state {

namespace {

// Within what every codec takes at once, and what a reader needs beside what it gives.
constexpr size_t kPieceBytes = size_t{4} << 20;
// Below this a codec's own header costs more than it saves.
constexpr size_t kWorthPacking = 256;

struct PieceHeader {
  uint8_t codec;
  uint32_t raw_length;
  uint32_t packed_length;
} __attribute__((packed));

arrow::Result<std::unique_ptr<arrow::util::Codec>> CodecOf(ChangelogCodec codec) {
  switch (codec) {
    case ChangelogCodec::kLz4:
      return arrow::util::Codec::Create(arrow::Compression::LZ4);
    case ChangelogCodec::kZstd:
      return arrow::util::Codec::Create(arrow::Compression::ZSTD);
    case ChangelogCodec::kSnappy:
      return arrow::util::Codec::Create(arrow::Compression::SNAPPY);
    case ChangelogCodec::kNone:
      break;
  }
  return arrow::Status::Invalid("unknown codec of a changelog");
}

arrow::Status PackPiece(ChangelogCodec codec, std::string_view raw, PodVector<uint8_t>* packed) {
  const size_t at = packed->size();
  const auto* bytes = reinterpret_cast<const uint8_t*>(raw.data());
  const auto length = static_cast<int64_t>(raw.size());
  PieceHeader header = {0, static_cast<uint32_t>(raw.size()), static_cast<uint32_t>(raw.size())};
  if (codec != ChangelogCodec::kNone && raw.size() >= kWorthPacking) {
    ARROW_ASSIGN_OR_RAISE(const auto compressor, CodecOf(codec));
    const int64_t most = compressor->MaxCompressedLen(length, bytes);
    packed->Resize(at + sizeof(header) + most);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t size,
        compressor->Compress(length, bytes, most, packed->data() + at + sizeof(header)));
    if (size < length) {
      header.codec = static_cast<uint8_t>(codec);
      header.packed_length = static_cast<uint32_t>(size);
    }
  }
  packed->Resize(at + sizeof(header) + header.packed_length);
  std::memcpy(packed->data() + at, &header, sizeof(header));
  if (header.codec == 0) {
    std::memcpy(packed->data() + at + sizeof(header), raw.data(), raw.size());
  }
  return arrow::Status::OK();
}

}  // namespace

std::optional<ChangelogCodec> ChangelogCodecOf(std::string_view name) {
  if (name == "none") return ChangelogCodec::kNone;
  if (name == "lz4") return ChangelogCodec::kLz4;
  if (name == "zstd") return ChangelogCodec::kZstd;
  if (name == "snappy") return ChangelogCodec::kSnappy;
  return std::nullopt;
}

arrow::Status Pack(ChangelogCodec codec, std::string_view raw, PodVector<uint8_t>* packed) {
  while (!raw.empty()) {
    const std::string_view piece = raw.substr(0, kPieceBytes);
    ARROW_RETURN_NOT_OK(PackPiece(codec, piece, packed));
    raw.remove_prefix(piece.size());
  }
  return arrow::Status::OK();
}

arrow::Status Unpack(std::string_view packed, std::string* raw) {
  while (!packed.empty()) {
    PieceHeader header;
    if (packed.size() < sizeof(header)) return arrow::Status::Invalid("a piece ends early");
    std::memcpy(&header, packed.data(), sizeof(header));
    packed.remove_prefix(sizeof(header));
    if (header.packed_length > packed.size() || header.raw_length > kPieceBytes) {
      return arrow::Status::Invalid("a piece of impossible length");
    }
    const std::string_view piece = packed.substr(0, header.packed_length);
    packed.remove_prefix(piece.size());
    if (header.codec == 0) {
      if (header.packed_length != header.raw_length) {
        return arrow::Status::Invalid("a piece of two lengths");
      }
      raw->append(piece);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const auto codec, CodecOf(static_cast<ChangelogCodec>(header.codec)));
    const size_t at = raw->size();
    raw->resize(at + header.raw_length);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t size,
        codec->Decompress(static_cast<int64_t>(piece.size()),
                          reinterpret_cast<const uint8_t*>(piece.data()), header.raw_length,
                          reinterpret_cast<uint8_t*>(raw->data() + at)));
    if (size != header.raw_length) return arrow::Status::Invalid("a piece of another length");
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::state
