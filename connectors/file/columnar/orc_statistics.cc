#include "connectors/file/columnar/orc_statistics.h"

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tidemill::connectors {

namespace {

constexpr int64_t kMostBytes = 64 << 20;  // of a metadata section, compressed or not

// The fields of a serialised message of Protocol Buffers, one after another. Varints and bytes are
// all that is of interest here; other fields are passed over. *Thread-compatible.*
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  // Goes to the next field; false at the end or at damage.
  bool Next() {
    uint64_t tag = 0;
    if (!ReadVarint(&tag)) return false;
    number_ = tag >> 3;
    switch (tag & 7) {
      case 0:
        return ReadVarint(&value_);
      case 1:
        return ReadBytes(8);
      case 2:
        return ReadVarint(&value_) && ReadBytes(value_);
      case 5:
        return ReadBytes(4);
      default:
        return false;
    }
  }

  uint64_t number() const { return number_; }
  uint64_t value() const { return value_; }
  // Of "zigzag" numbers.
  int64_t signed_value() const {
    return static_cast<int64_t>(value_ >> 1) ^ -static_cast<int64_t>(value_ & 1);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  bool ReadVarint(uint64_t* out) {
    *out = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      *out |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool ReadBytes(uint64_t size) {
    if (size > rest_.size()) return false;
    bytes_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  uint64_t number_ = 0;
  uint64_t value_ = 0;
  std::string_view bytes_;
};

// PostScript of orc_proto.proto.
struct PostScript {
  uint64_t footer_length = 0;
  uint64_t compression = 0;
  uint64_t metadata_length = 0;
  uint64_t writer_version = 0;
};

PostScript ParsePostScript(std::string_view bytes) {
  PostScript result;
  for (Fields fields(bytes); fields.Next();) {
    if (fields.number() == 1) result.footer_length = fields.value();
    if (fields.number() == 2) result.compression = fields.value();
    if (fields.number() == 5) result.metadata_length = fields.value();
    if (fields.number() == 6) result.writer_version = fields.value();
  }
  return result;
}

std::optional<arrow::Compression::type> CompressionOf(uint64_t kind) {
  switch (kind) {
    case 1:  // raw deflate: Arrow makes that of GZIP only by an option of its codec
      return arrow::Compression::GZIP;
    case 2:
      return arrow::Compression::SNAPPY;
    case 4:
      return arrow::Compression::LZ4;
    case 5:
      return arrow::Compression::ZSTD;
    default:
      return std::nullopt;
  }
}

arrow::Result<std::unique_ptr<arrow::util::Codec>> MakeCodec(arrow::Compression::type type) {
  if (type != arrow::Compression::GZIP) return arrow::util::Codec::Create(type);
  arrow::util::GZipCodecOptions options;
  options.gzip_format = arrow::util::GZipFormat::DEFLATE;
  return arrow::util::Codec::Create(type, options);
}

// Decompresses into a buffer that is large enough and says how much there is. Arrow wants to know
// beforehand what a block of Zstandard holds; a stream of it may be asked.
arrow::Result<int64_t> DecompressChunk(arrow::util::Codec* codec, std::string_view chunk,
                                       std::string* out) {
  const auto size = static_cast<int64_t>(chunk.size());
  const auto* bytes = reinterpret_cast<const uint8_t*>(chunk.data());
  const auto room = static_cast<int64_t>(out->size());
  auto* to = reinterpret_cast<uint8_t*>(out->data());
  if (codec->compression_type() != arrow::Compression::ZSTD) {
    return codec->Decompress(size, bytes, room, to);
  }
  ARROW_ASSIGN_OR_RAISE(const auto stream, codec->MakeDecompressor());
  ARROW_ASSIGN_OR_RAISE(const auto result, stream->Decompress(size, bytes, room, to));
  return result.bytes_written;
}

// A section is chunks of 3 bytes of header (twice the length, plus 1 where the chunk is stored as
// it is) and the chunk; each holds at most `kLargestChunk` bytes.
arrow::Result<std::string> Decompress(std::string_view bytes, arrow::Compression::type type) {
  constexpr size_t kHeader = 3;
  constexpr int64_t kLargestChunk = 1 << 23;
  ARROW_ASSIGN_OR_RAISE(const auto codec, MakeCodec(type));
  std::string plain;
  std::string chunk_out(kLargestChunk, '\0');
  while (bytes.size() > kHeader && static_cast<int64_t>(plain.size()) < kMostBytes) {
    const auto byte = [&](int i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
    const uint32_t header = byte(0) | byte(1) << 8 | byte(2) << 16;
    const std::string_view chunk = bytes.substr(kHeader, header >> 1);
    bytes.remove_prefix(kHeader + chunk.size());
    if ((header & 1) != 0) {
      plain.append(chunk);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t size, DecompressChunk(codec.get(), chunk, &chunk_out));
    plain.append(chunk_out, 0, size);
  }
  return plain;
}

// Metadata of orc_proto.proto, decompressed, with the version of its writer.
struct Metadata {
  std::string bytes;
  uint64_t writer_version = 0;
};

arrow::Result<Metadata> ReadMetadata(arrow::io::RandomAccessFile* file) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
  const int64_t end_size = std::min<int64_t>(size, 256);  // a PostScript has 255 bytes at most
  ARROW_ASSIGN_OR_RAISE(const auto end, file->ReadAt(size - end_size, end_size));
  const std::string_view end_bytes(*end);
  if (end_bytes.empty()) return Metadata{};
  const size_t length = static_cast<uint8_t>(end_bytes.back());
  if (length >= end_bytes.size()) return Metadata{};
  const PostScript post_script =
      ParsePostScript(end_bytes.substr(end_bytes.size() - 1 - length, length));
  const auto limit = static_cast<uint64_t>(std::min(size, kMostBytes));
  if (post_script.metadata_length > limit || post_script.footer_length > limit) return Metadata{};
  const int64_t begin =
      size - 1 -
      static_cast<int64_t>(length + post_script.footer_length + post_script.metadata_length);
  if (begin < 0) return Metadata{};
  ARROW_ASSIGN_OR_RAISE(const auto section,
                        file->ReadAt(begin, static_cast<int64_t>(post_script.metadata_length)));
  Metadata result{.bytes = std::string(std::string_view(*section)),
                  .writer_version = post_script.writer_version};
  if (post_script.compression == 0) return result;
  const auto compression = CompressionOf(post_script.compression);
  if (!compression) return Metadata{};
  ARROW_ASSIGN_OR_RAISE(result.bytes, Decompress(result.bytes, *compression));
  return result;
}

// Statistics with a signed `minimum` and `maximum`: of whole numbers and of dates.
ColumnBounds NumberBounds(std::string_view bytes) {
  ColumnBounds bounds;
  for (Fields fields(bytes); fields.Next();) {
    if (fields.number() == 1) bounds.least = fields.signed_value();
    if (fields.number() == 2) bounds.greatest = fields.signed_value();
  }
  return bounds;
}

// Milliseconds of UTC. One second more on both sides: writers have rounded times before 1970 in
// several ways.
ColumnBounds InstantBounds(std::string_view bytes) {
  constexpr int64_t kMicrosOfMilli = 1000;
  constexpr int64_t kSecond = 1'000'000;
  constexpr int64_t kFurthest = INT64_MAX / kMicrosOfMilli - kSecond;
  ColumnBounds bounds;
  for (Fields fields(bytes); fields.Next();) {
    const int64_t millis = fields.signed_value();
    if (millis < -kFurthest || millis > kFurthest) continue;
    if (fields.number() == 3) bounds.least = millis * kMicrosOfMilli - kSecond;
    if (fields.number() == 4) bounds.greatest = millis * kMicrosOfMilli + kSecond;
  }
  return bounds;
}

// Long strings have a bound (4, 5) in place of their minimum and maximum.
ColumnBounds StringBounds(std::string_view bytes) {
  ColumnBounds bounds;
  for (Fields fields(bytes); fields.Next();) {
    if (fields.number() == 1 || fields.number() == 4) bounds.least = std::string(fields.bytes());
    if (fields.number() == 2 || fields.number() == 5) bounds.greatest = std::string(fields.bytes());
  }
  return bounds;
}

// ColumnStatistics: each kind of column has its own field.
ColumnBounds BoundsOfColumn(std::string_view bytes, const arrow::DataType& type,
                            uint64_t writer_version) {
  constexpr uint64_t kStringsAreSound = 1;  // writers before HIVE-8732 got them wrong
  const bool is_instant = type.id() == arrow::Type::TIMESTAMP &&
                          !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  for (Fields fields(bytes); fields.Next();) {
    switch (fields.number()) {
      case 2:
        if (arrow::is_integer(type.id())) return NumberBounds(fields.bytes());
        break;
      case 4:
        if (type.id() == arrow::Type::STRING && writer_version >= kStringsAreSound) {
          return StringBounds(fields.bytes());
        }
        break;
      case 7:
        if (type.id() == arrow::Type::DATE32) return NumberBounds(fields.bytes());
        break;
      case 9:
        if (is_instant) return InstantBounds(fields.bytes());
        break;
      default:
        break;
    }
  }
  return {};
}

// How many columns of ORC, which numbers types from the root down, a type takes.
int NumColumns(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(type);
    return 1 + NumColumns(*map.key_type()) + NumColumns(*map.item_type());
  }
  int columns = 1;
  for (const auto& child : type.fields()) columns += NumColumns(*child->type());
  return columns;
}

// StripeStatistics: ColumnStatistics by column.
std::vector<ColumnBounds> BoundsOfStripe(std::string_view bytes, const arrow::Schema& schema,
                                         uint64_t writer_version) {
  std::vector<std::string_view> columns;
  for (Fields fields(bytes); fields.Next();) {
    if (fields.number() == 1) columns.push_back(fields.bytes());
  }
  std::vector<ColumnBounds> bounds;
  size_t column = 1;  // 0 is the row itself
  for (const auto& field : schema.fields()) {
    bounds.push_back(column < columns.size()
                         ? BoundsOfColumn(columns[column], *field->type(), writer_version)
                         : ColumnBounds{});
    column += NumColumns(*field->type());
  }
  return bounds;
}

}  // namespace

OrcStatistics OrcStatistics::Read(arrow::io::RandomAccessFile* file, const arrow::Schema& schema) {
  OrcStatistics result;
  const auto metadata = ReadMetadata(file);
  if (!metadata.ok()) return result;
  for (Fields fields(metadata->bytes); fields.Next();) {
    if (fields.number() != 1) continue;
    result.bounds_.push_back(BoundsOfStripe(fields.bytes(), schema, metadata->writer_version));
  }
  return result;
}

ColumnBounds OrcStatistics::BoundsOf(int stripe, int field) const {
  const auto at = static_cast<size_t>(stripe);
  return at < bounds_.size() ? bounds_[at][field] : ColumnBounds{};
}

}  // namespace tidemill::connectors
