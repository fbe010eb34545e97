#include "state/table/key_codec.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "state/table/column_assembler.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

constexpr int64_t kMaxBytes = std::numeric_limits<int32_t>::max();
const uint8_t kNoBytes[1] = {0};

arrow::Status KeysTooLarge(int64_t bytes) {
  return MakeError(
      ErrorKind::kResource, "KEYS_TOO_LARGE",
      fmt::format("keys of one batch must encode to less than 2 GiB: bytes={}", bytes));
}

bool HoldsMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  for (const auto& field : type.fields())
    if (HoldsMap(*field->type())) return true;
  return false;
}

bool IsBytesType(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
}

template <size_t kWidth>
void HashFixed(const uint8_t* data, int64_t rows, uint64_t* hashes) {
  for (int64_t i = 0; i < rows; ++i) hashes[i] = XXH3_64bits(data + i * kWidth, kWidth);
}

void HashKeys(EncodedKeys* keys) {
  const int64_t rows = keys->num_keys;
  keys->hashes.Resize(rows);
  uint64_t* hashes = keys->hashes.data();
  switch (keys->width) {
    case 1:
      HashFixed<1>(keys->data, rows, hashes);
      break;
    case 2:
      HashFixed<2>(keys->data, rows, hashes);
      break;
    case 4:
      HashFixed<4>(keys->data, rows, hashes);
      break;
    case 8:
      HashFixed<8>(keys->data, rows, hashes);
      break;
    case 16:
      HashFixed<16>(keys->data, rows, hashes);
      break;
    default:
      for (int64_t i = 0; i < rows; ++i) {
        const std::string_view key = keys->Key(i);
        hashes[i] = XXH3_64bits(key.data(), key.size());
      }
  }
  if (keys->valid_bits == nullptr) return;
  for (int64_t i = 0; i < rows; ++i)
    if (keys->IsNull(i)) hashes[i] = kNullKeyHash;
}

// Normalises `rows` floats of unsigned type Bits; without a copy where nothing is to be done.
template <class Bits>
const uint8_t* NormaliseColumn(const uint8_t* data, int64_t rows, PodVector<uint8_t>* scratch) {
  const auto* bits = reinterpret_cast<const Bits*>(data);
  bool is_normal = true;
  for (int64_t i = 0; i < rows; ++i) is_normal &= NormalisedBits(bits[i]) == bits[i];
  if (is_normal) return data;
  scratch->Resize(rows * sizeof(Bits));
  auto* out = reinterpret_cast<Bits*>(scratch->data());
  for (int64_t i = 0; i < rows; ++i) out[i] = NormalisedBits(bits[i]);
  return scratch->data();
}

// The values of a fixed-width column as plain bytes, normalised; `scratch` where a copy is needed.
const uint8_t* FixedValues(const arrow::Array& column, int32_t width, PodVector<uint8_t>* scratch) {
  const int64_t rows = column.length();
  if (width == 0 || rows == 0) return kNoBytes;
  if (column.type_id() == arrow::Type::BOOL) {
    const auto& bools = static_cast<const arrow::BooleanArray&>(column);
    scratch->Resize(rows);
    for (int64_t i = 0; i < rows; ++i) (*scratch)[i] = bools.Value(i) ? 1 : 0;
    return scratch->data();
  }
  const uint8_t* data = column.data()->buffers[1]->data() + column.offset() * width;
  if (column.type_id() == arrow::Type::FLOAT) return NormaliseColumn<uint32_t>(data, rows, scratch);
  if (column.type_id() == arrow::Type::DOUBLE)
    return NormaliseColumn<uint64_t>(data, rows, scratch);
  return data;
}

const uint8_t* BytesOf(const arrow::BinaryArray& array) {
  const auto& buffer = array.value_data();
  return buffer != nullptr && buffer->data() != nullptr ? buffer->data() : kNoBytes;
}

// One column of a multi-column key while it is encoded.
struct Part {
  int32_t width = -1;
  const arrow::Array* array = nullptr;
  const uint8_t* data = nullptr;     // values, or bytes of variable width
  const int32_t* offsets = nullptr;  // variable width
  bool is_encoded = false;           // nested: `data` holds whole encoded columns
  PodVector<uint8_t> scratch;
  PodVector<int32_t> scratch_offsets;

  int32_t length(int64_t i) const { return offsets[i + 1] - offsets[i]; }
};

arrow::Status PreparePart(const arrow::Array& array, Part* part) {
  part->array = &array;
  part->width = FixedWidthOf(*array.type());
  if (part->width >= 0) {
    part->data = FixedValues(array, part->width, &part->scratch);
    return arrow::Status::OK();
  }
  if (IsBytesType(*array.type())) {
    const auto& bytes = static_cast<const arrow::BinaryArray&>(array);
    part->data = BytesOf(bytes);
    part->offsets = bytes.raw_value_offsets();
    return arrow::Status::OK();
  }
  part->is_encoded = true;
  part->scratch_offsets.PushBack(0);
  for (int64_t i = 0; i < array.length(); ++i) {
    AppendEncoded(array, i, /*normalise=*/true, &part->scratch);
    if (static_cast<int64_t>(part->scratch.size()) > kMaxBytes)
      return KeysTooLarge(part->scratch.size());
    part->scratch_offsets.PushBack(static_cast<int32_t>(part->scratch.size()));
  }
  part->data = part->scratch.data();
  part->offsets = part->scratch_offsets.data();
  return arrow::Status::OK();
}

// Offsets of the encoded rows.
arrow::Status SizeRows(const std::vector<Part>& parts, int64_t rows, PodVector<int32_t>* offsets) {
  offsets->Resize(rows + 1);
  int64_t end = 0;
  for (int64_t i = 0; i < rows; ++i) {
    (*offsets)[i] = static_cast<int32_t>(end);
    for (const Part& part : parts) {
      if (part.width >= 0) {
        end += 1 + part.width;
      } else if (part.is_encoded) {
        end += part.length(i);
      } else {
        const int64_t length = part.length(i);
        end += part.array->IsNull(i) ? 1 : 1 + VarintSize(length) + length;
      }
    }
    if (end > kMaxBytes) return KeysTooLarge(end);
  }
  (*offsets)[rows] = static_cast<int32_t>(end);
  return arrow::Status::OK();
}

// Writes one part of one row and returns where the next part begins.
uint8_t* WritePart(const Part& part, int64_t i, uint8_t* out) {
  if (part.is_encoded) {
    std::memcpy(out, part.data + part.offsets[i], part.length(i));
    return out + part.length(i);
  }
  const bool is_null = part.array->IsNull(i);
  *out++ = is_null ? 0 : 1;
  if (part.width >= 0) {
    if (is_null) {
      std::memset(out, 0, part.width);
    } else {
      std::memcpy(out, part.data + i * part.width, part.width);
    }
    return out + part.width;
  }
  if (is_null) return out;
  out = WriteVarint(out, part.length(i));
  std::memcpy(out, part.data + part.offsets[i], part.length(i));
  return out + part.length(i);
}

}  // namespace

arrow::Result<std::shared_ptr<const KeyCodec>> KeyCodec::Make(
    std::vector<std::shared_ptr<arrow::DataType>> types) {
  for (const auto& type : types) {
    if (!HoldsMap(*type)) continue;
    return MakeError(ErrorKind::kInvalid, "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                     fmt::format("a key must not be or hold a MAP: type={}", type->ToString()));
  }
  return std::shared_ptr<const KeyCodec>(new KeyCodec(std::move(types)));
}

KeyCodec::KeyCodec(std::vector<std::shared_ptr<arrow::DataType>> types) : types_(std::move(types)) {
  if (types_.empty()) return;
  const bool is_single = types_.size() == 1;
  if (is_single && FixedWidthOf(*types_[0]) > 0) {
    kind_ = Kind::kFixed;
    width_ = FixedWidthOf(*types_[0]);
    return;
  }
  if (is_single && IsBytesType(*types_[0])) {
    kind_ = Kind::kBytes;
    width_ = -1;
    return;
  }
  kind_ = Kind::kRow;
  for (const auto& type : types_) {
    const int32_t width = FixedWidthOf(*type);
    width_ = width < 0 || width_ < 0 ? -1 : width_ + 1 + width;
  }
}

KeyCodec::~KeyCodec() = default;

uint64_t KeyCodec::HashOf(std::string_view key) const {
  return kind_ == Kind::kGlobal ? 0 : XXH3_64bits(key.data(), key.size());
}

arrow::Status KeyCodec::Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                               int64_t rows, EncodedKeys* out) const {
  TIDEMILL_CHECK(columns.size() == types_.size());
  out->num_keys = static_cast<int32_t>(rows);
  out->width = width_;
  out->data = kNoBytes;
  out->offsets = nullptr;
  out->valid_bits = nullptr;
  out->arrays.clear();
  if (kind_ == Kind::kGlobal) {
    out->hashes.Clear();
    out->hashes.ResizeZeroed(rows);
    return arrow::Status::OK();
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    TIDEMILL_CHECK(columns[i]->length() == rows && columns[i]->type_id() == types_[i]->id());
  }
  if (kind_ == Kind::kFixed) {
    EncodeFixed(columns[0], out);
  } else if (kind_ == Kind::kBytes) {
    EncodeBytes(columns[0], out);
  } else {
    ARROW_RETURN_NOT_OK(EncodeRows(columns, out));
  }
  HashKeys(out);
  return arrow::Status::OK();
}

void KeyCodec::EncodeFixed(const std::shared_ptr<arrow::Array>& column, EncodedKeys* out) const {
  out->data = FixedValues(*column, width_, &out->scratch_bytes);
  out->arrays.push_back(column);
  if (column->null_count() == 0) return;
  out->valid_bits = column->null_bitmap_data();
  out->valid_offset = column->offset();
}

void KeyCodec::EncodeBytes(const std::shared_ptr<arrow::Array>& column, EncodedKeys* out) const {
  const auto& bytes = static_cast<const arrow::BinaryArray&>(*column);
  if (bytes.length() == 0) return;
  out->data = BytesOf(bytes);
  out->offsets = bytes.raw_value_offsets();
  out->arrays.push_back(column);
  if (column->null_count() == 0) return;
  out->valid_bits = column->null_bitmap_data();
  out->valid_offset = column->offset();
}

arrow::Status KeyCodec::EncodeRows(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                                   EncodedKeys* out) const {
  const int64_t rows = out->num_keys;
  std::vector<Part> parts(columns.size());
  for (size_t c = 0; c < columns.size(); ++c)
    ARROW_RETURN_NOT_OK(PreparePart(*columns[c], &parts[c]));
  int64_t total = rows * width_;
  if (width_ < 0) {
    ARROW_RETURN_NOT_OK(SizeRows(parts, rows, &out->scratch_offsets));
    out->offsets = out->scratch_offsets.data();
    total = out->offsets[rows];
  }
  if (total > kMaxBytes) return KeysTooLarge(total);
  out->scratch_bytes.Resize(total);
  uint8_t* cursor = out->scratch_bytes.data();
  for (int64_t i = 0; i < rows; ++i)
    for (const Part& part : parts) cursor = WritePart(part, i, cursor);
  if (total > 0) out->data = out->scratch_bytes.data();
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> KeyCodec::Decode(
    const EncodedKeys& keys, arrow::MemoryPool* pool) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  if (kind_ == Kind::kGlobal) return columns;
  const int64_t rows = keys.num_keys;
  if (kind_ == Kind::kFixed) {
    ARROW_ASSIGN_OR_RAISE(auto column, FixedColumnAssembler::Make(types_[0], rows, pool));
    for (int64_t i = 0; i < rows; ++i) {
      if (keys.IsNull(i)) {
        column.SetNull(i);
      } else {
        column.Set(i, keys.data + i * width_);
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto array, column.Finish());
    columns.push_back(std::move(array));
    return columns;
  }
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders(types_.size());
  for (size_t c = 0; c < types_.size(); ++c) {
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, types_[c], &builders[c]));
    ARROW_RETURN_NOT_OK(builders[c]->Reserve(rows));
  }
  for (int64_t i = 0; i < rows; ++i) {
    if (kind_ == Kind::kBytes) {
      auto* bytes = static_cast<arrow::BinaryBuilder*>(builders[0].get());
      ARROW_RETURN_NOT_OK(keys.IsNull(i) ? bytes->AppendNull() : bytes->Append(keys.Key(i)));
      continue;
    }
    const std::string_view key = keys.Key(i);
    const auto* cursor = reinterpret_cast<const uint8_t*>(key.data());
    const uint8_t* end = cursor + key.size();
    for (auto& builder : builders) ARROW_RETURN_NOT_OK(ReadEncoded(&cursor, end, builder.get()));
    if (cursor != end) return CorruptState("encoded key has bytes left over");
  }
  for (auto& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
    columns.push_back(std::move(array));
  }
  return columns;
}

}  // namespace tidemill::state
