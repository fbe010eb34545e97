#include "common/json/json_decoder.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "common/base/error.h"
#include "common/json/json_fields.h"
#include "common/json/json_numbers.h"
#include "common/types/civil_time.h"
#include "common/types/value_parse.h"

namespace tidemill {

namespace {

bool IsString(const JsonValue& value) {
  return value.kind == JsonKind::kString || value.kind == JsonKind::kEscapedString;
}
bool IsNumber(const JsonValue& value) {
  return value.kind == JsonKind::kInteger || value.kind == JsonKind::kReal;
}

// Rounds half away from zero to the type's scale, as Java's HALF_UP.
bool RoundedDecimal(std::string_view text, int32_t precision, int32_t scale,
                    arrow::Decimal128* out) {
  int32_t text_precision = 0;
  int32_t text_scale = 0;
  if (!arrow::Decimal128::FromString(text, out, &text_precision, &text_scale).ok()) return false;
  if (text_scale > scale) {
    *out = arrow::Decimal128(out->ReduceScaleBy(text_scale - scale, /*round=*/true));
  } else if (text_scale < scale) {
    if (scale - text_scale > 38) return *out == arrow::Decimal128(0);
    auto scaled = out->Rescale(text_scale, scale);
    if (!scaled.ok()) return false;
    *out = *scaled;
  }
  return out->FitsInPrecision(precision);
}

}  // namespace

// The validity bitmap of an array that is being made; made when the first NULL comes.
class JsonDecoder::Nulls {
 public:
  Nulls(size_t length, arrow::MemoryPool* pool) : length_(length), pool_(pool) {}

  arrow::Status Set(size_t i) {
    if (bitmap_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::AllocateBitmap(static_cast<int64_t>(length_), pool_));
      std::memset(bitmap_->mutable_data(), 0xFF, bitmap_->size());
    }
    arrow::bit_util::ClearBit(bitmap_->mutable_data(), static_cast<int64_t>(i));
    ++count_;
    return arrow::Status::OK();
  }
  std::shared_ptr<arrow::ArrayData> Finish(TypePointer type,
                                           std::vector<std::shared_ptr<arrow::Buffer>> buffers) {
    buffers.insert(buffers.begin(), std::move(bitmap_));
    return arrow::ArrayData::Make(std::move(type), static_cast<int64_t>(length_),
                                  std::move(buffers), count_);
  }

 private:
  const size_t length_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::Buffer> bitmap_;
  int64_t count_ = 0;
};

void JsonDecoder::Fail(const Column& column, size_t i) const {
  (*bad_rows_)[RowOf(column, i)] = 1;
  if (column.failed == nullptr) return;
  if (column.failed->empty()) column.failed->resize(column.values.size());
  (*column.failed)[i] = 1;
}

std::string_view JsonDecoder::TextOf(const JsonValue& value) {
  if (value.kind != JsonKind::kEscapedString) return value.text();
  scratch_.clear();
  UnescapeJson(value.text(), &scratch_);
  return scratch_;
}

template <class T, class Convert>
JsonDecoder::ArrayResult JsonDecoder::DecodeFixed(const TypePointer& type, const Column& column,
                                                  Convert convert) {
  const size_t length = column.values.size();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(static_cast<int64_t>(length * sizeof(T)), pool_));
  T* const out = reinterpret_cast<T*>(buffer->mutable_data());
  Nulls nulls(length, pool_);
  for (size_t i = 0; i < length; ++i) {
    const JsonValue& value = column.values[i];
    if (value.kind != JsonKind::kNull) {
      if (convert(value, &out[i])) continue;
      Fail(column, i);
    }
    out[i] = T();
    ARROW_RETURN_NOT_OK(nulls.Set(i));
  }
  return nulls.Finish(type, {std::move(buffer)});
}

template <class T>
JsonDecoder::ArrayResult JsonDecoder::DecodeInteger(const TypePointer& type, const Column& column) {
  return DecodeFixed<T>(type, column, [](const JsonValue& value, T* out) {
    int64_t number = 0;
    if (value.kind != JsonKind::kInteger || !JsonInteger(value.text(), &number)) return false;
    *out = static_cast<T>(number);
    return *out == number;
  });
}

template <class T>
JsonDecoder::ArrayResult JsonDecoder::DecodeFloating(const TypePointer& type,
                                                     const Column& column) {
  return DecodeFixed<T>(type, column, [this](const JsonValue& value, T* out) {
    double number = 0;
    if (!(IsNumber(value) ? JsonReal(value.text(), &number)
                          : IsString(value) && JsonNonNumeric(TextOf(value), &number))) {
      return false;
    }
    *out = static_cast<T>(number);
    return true;
  });
}

template <class T, class Parse>
JsonDecoder::ArrayResult JsonDecoder::DecodeParsed(const TypePointer& type, const Column& column,
                                                   Parse parse) {
  return DecodeFixed<T>(type, column, [this, &parse](const JsonValue& value, T* out) {
    return IsString(value) && value.size > 0 && parse(TextOf(value), out);
  });
}

JsonDecoder::ArrayResult JsonDecoder::DecodeDate(const TypePointer& type, const Column& column) {
  if (formats_.date == nullptr) return DecodeParsed<int32_t>(type, column, ParseDate);
  return DecodeParsed<int32_t>(type, column, [this](std::string_view text, int32_t* out) {
    int64_t local = 0;
    if (!formats_.date->ParseLocal(text, &local)) return false;
    *out = static_cast<int32_t>(FloorDiv(local, kMicrosPerDay));
    return true;
  });
}

JsonDecoder::ArrayResult JsonDecoder::DecodeTimestamp(const TypePointer& type,
                                                      const Column& column) {
  const bool is_local = static_cast<const arrow::TimestampType&>(*type).timezone().empty();
  if (is_local ? formats_.timestamp_ntz != nullptr : formats_.timestamp != nullptr) {
    return DecodeParsed<int64_t>(type, column, [&](std::string_view text, int64_t* out) {
      return is_local ? formats_.timestamp_ntz->ParseLocal(text, out)
                      : formats_.timestamp->Parse(text, *zone_, out);
    });
  }
  if (is_local) {
    return DecodeParsed<int64_t>(type, column, ParseTimestampNtz);
  }
  return DecodeFixed<int64_t>(type, column, [this](const JsonValue& value, int64_t* out) {
    if (value.kind == JsonKind::kInteger) {
      int64_t seconds = 0;
      return JsonInteger(value.text(), &seconds) &&
             !__builtin_mul_overflow(seconds, int64_t{1'000'000}, out);
    }
    if (!IsString(value) || value.size == 0) return false;
    return ParseTimestamp(TextOf(value), *zone_, out);
  });
}

JsonDecoder::ArrayResult JsonDecoder::DecodeDecimal(const TypePointer& type, const Column& column) {
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
  const int32_t precision = decimal.precision();
  const int32_t scale = decimal.scale();
  return DecodeFixed<arrow::Decimal128>(
      type, column, [&](const JsonValue& value, arrow::Decimal128* out) {
        if (!IsNumber(value) && !(IsString(value) && value.size > 0)) return false;
        std::string_view text = TextOf(value);
        std::string without_commas;
        if (text.find(',') != std::string_view::npos) {
          // Spark's parser drops the grouping separators of the US locale.
          without_commas = text;
          std::erase(without_commas, ',');
          text = without_commas;
        }
        return RoundedDecimal(text, precision, scale, out);
      });
}

JsonDecoder::ArrayResult JsonDecoder::DecodeBoolean(const TypePointer& type, const Column& column) {
  const size_t length = column.values.size();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(static_cast<int64_t>(length), pool_));
  Nulls nulls(length, pool_);
  for (size_t i = 0; i < length; ++i) {
    const JsonKind kind = column.values[i].kind;
    if (kind == JsonKind::kTrue) {
      arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
    } else if (kind != JsonKind::kFalse) {
      if (kind != JsonKind::kNull) Fail(column, i);
      ARROW_RETURN_NOT_OK(nulls.Set(i));
    }
  }
  return nulls.Finish(type, {std::move(bits)});
}

// `convert` gives the bytes of a value, which are never more than its text, or false.
template <class Convert>
JsonDecoder::ArrayResult JsonDecoder::DecodeBytes(const TypePointer& type, const Column& column,
                                                  Convert convert) {
  const size_t length = column.values.size();
  int64_t most = 0;
  for (const JsonValue& value : column.values) most += value.size;
  if (most > std::numeric_limits<int32_t>::max()) {
    return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                     fmt::format("values of a batch do not fit in one array: bytes={}", most));
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer(static_cast<int64_t>((length + 1) * sizeof(int32_t)), pool_));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(most, pool_));
  auto* const offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  auto* const begin = reinterpret_cast<char*>(bytes->mutable_data());
  char* at = begin;
  Nulls nulls(length, pool_);
  for (size_t i = 0; i < length; ++i) {
    offset[i] = static_cast<int32_t>(at - begin);
    const JsonValue& value = column.values[i];
    std::string_view text;
    if (value.kind == JsonKind::kNull) {
      ARROW_RETURN_NOT_OK(nulls.Set(i));
    } else if (convert(value, &text)) {
      if (!text.empty()) std::memcpy(at, text.data(), text.size());
      at += text.size();
    } else {
      Fail(column, i);
      ARROW_RETURN_NOT_OK(nulls.Set(i));
    }
  }
  offset[length] = static_cast<int32_t>(at - begin);
  return nulls.Finish(type, {std::move(offsets), std::move(bytes)});
}

JsonDecoder::ArrayResult JsonDecoder::DecodeVoid(const TypePointer& type, const Column& column) {
  for (size_t i = 0; i < column.values.size(); ++i) {
    if (column.values[i].kind != JsonKind::kNull) Fail(column, i);
  }
  const auto length = static_cast<int64_t>(column.values.size());
  return arrow::ArrayData::Make(type, length, {nullptr}, length);
}

JsonDecoder::ArrayResult JsonDecoder::DecodeStruct(const TypePointer& type, const Column& column) {
  const size_t length = column.values.size();
  std::vector<std::string> names;
  for (const auto& field : type->fields()) names.push_back(field->name());
  JsonFields fields(std::move(names));
  std::vector<std::vector<JsonValue>> children(type->num_fields(), std::vector<JsonValue>(length));
  Nulls nulls(length, pool_);
  for (size_t i = 0; i < length; ++i) {
    const JsonValue& value = column.values[i];
    if (value.kind == JsonKind::kObject) {
      JsonScanner scanner(value.text(), syntax_);
      // Checked before, with the record.
      (void)scanner.ScanFields(
          &fields, [&](int field, const JsonValue& child) { children[field][i] = child; });
      continue;
    }
    if (value.kind != JsonKind::kNull) Fail(column, i);
    ARROW_RETURN_NOT_OK(nulls.Set(i));
  }
  auto data = nulls.Finish(type, {});
  for (int field = 0; field < type->num_fields(); ++field) {
    ARROW_ASSIGN_OR_RAISE(
        auto child,
        DecodeColumn(type->field(field)->type(), {.values = children[field], .rows = column.rows}));
    data->child_data.push_back(std::move(child));
  }
  return data;
}

// Scans each value of `kind` with `scan`, which says how many entries there are so far; gives where
// those of each value begin. `rows` are the records of the entries.
template <class Scan>
arrow::Result<std::shared_ptr<arrow::Buffer>> JsonDecoder::ScanEntries(const Column& column,
                                                                       JsonKind kind,
                                                                       std::vector<int32_t>* rows,
                                                                       Scan scan) const {
  const size_t length = column.values.size();
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> buffer,
      arrow::AllocateBuffer(static_cast<int64_t>((length + 1) * sizeof(int32_t)), pool_));
  auto* const offsets = reinterpret_cast<int32_t*>(buffer->mutable_data());
  for (size_t i = 0; i < length; ++i) {
    offsets[i] = static_cast<int32_t>(rows->size());
    if (column.values[i].kind != kind) continue;
    JsonScanner scanner(column.values[i].text(), syntax_);
    rows->resize(scan(&scanner), RowOf(column, i));
  }
  offsets[length] = static_cast<int32_t>(rows->size());
  return buffer;
}

// A list or map of entries: NULL where the value is none, is no `kind`, or has an entry that
// failed.
JsonDecoder::ArrayResult JsonDecoder::FinishEntries(const TypePointer& type, const Column& column,
                                                    Entries entries) const {
  const auto* const begin = reinterpret_cast<const int32_t*>(entries.offsets->data());
  const std::span<const uint8_t> failed = entries.failed;
  Nulls nulls(column.values.size(), pool_);
  for (size_t i = 0; i < column.values.size(); ++i) {
    bool has_failed = false;
    if (!failed.empty()) {
      const auto own = failed.subspan(begin[i], begin[i + 1] - begin[i]);
      has_failed = std::find(own.begin(), own.end(), 1) != own.end();
    }
    if (column.values[i].kind == entries.kind && !has_failed) continue;
    if (column.values[i].kind != JsonKind::kNull) Fail(column, i);
    ARROW_RETURN_NOT_OK(nulls.Set(i));
  }
  auto data = nulls.Finish(type, {std::move(entries.offsets)});
  data->child_data = {std::move(entries.data)};
  return data;
}

JsonDecoder::ArrayResult JsonDecoder::DecodeList(const TypePointer& type, const Column& column) {
  Entries entries{.kind = JsonKind::kArray};
  std::vector<JsonValue> elements;
  std::vector<int32_t> rows;
  ARROW_ASSIGN_OR_RAISE(
      entries.offsets, ScanEntries(column, entries.kind, &rows, [&](JsonScanner* scanner) {
        (void)scanner->ScanArray([&](const JsonValue& element) { elements.push_back(element); });
        return elements.size();
      }));
  ARROW_ASSIGN_OR_RAISE(
      entries.data, DecodeColumn(static_cast<const arrow::ListType&>(*type).value_type(),
                                 {.values = elements, .rows = rows, .failed = &entries.failed}));
  return FinishEntries(type, column, std::move(entries));
}

JsonDecoder::ArrayResult JsonDecoder::DecodeMap(const TypePointer& type, const Column& column) {
  const auto& map = static_cast<const arrow::MapType&>(*type);
  Entries entries{.kind = JsonKind::kObject};
  std::vector<JsonValue> keys;
  std::vector<JsonValue> items;
  std::vector<int32_t> rows;
  ARROW_ASSIGN_OR_RAISE(
      entries.offsets, ScanEntries(column, entries.kind, &rows, [&](JsonScanner* scanner) {
        (void)scanner->ScanObject([&](const JsonValue& key, const JsonValue& item) {
          keys.push_back(key);
          items.push_back(item);
        });
        return keys.size();
      }));
  ARROW_ASSIGN_OR_RAISE(auto key_data,
                        DecodeColumn(map.key_type(), {.values = keys, .rows = rows}));
  ARROW_ASSIGN_OR_RAISE(
      auto item_data,
      DecodeColumn(map.item_type(), {.values = items, .rows = rows, .failed = &entries.failed}));
  entries.data = arrow::ArrayData::Make(map.value_type(), static_cast<int64_t>(keys.size()),
                                        {nullptr}, /*null_count=*/0);
  entries.data->child_data = {std::move(key_data), std::move(item_data)};
  return FinishEntries(type, column, std::move(entries));
}

JsonDecoder::ArrayResult JsonDecoder::DecodeColumn(const TypePointer& type, const Column& column) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      return DecodeBoolean(type, column);
    case arrow::Type::INT8:
      return DecodeInteger<int8_t>(type, column);
    case arrow::Type::INT16:
      return DecodeInteger<int16_t>(type, column);
    case arrow::Type::INT32:
      return DecodeInteger<int32_t>(type, column);
    case arrow::Type::INT64:
      return DecodeInteger<int64_t>(type, column);
    case arrow::Type::FLOAT:
      return DecodeFloating<float>(type, column);
    case arrow::Type::DOUBLE:
      return DecodeFloating<double>(type, column);
    case arrow::Type::DECIMAL128:
      return DecodeDecimal(type, column);
    case arrow::Type::DATE32:
      return DecodeDate(type, column);
    case arrow::Type::TIMESTAMP:
      return DecodeTimestamp(type, column);
    case arrow::Type::STRING:
      return DecodeBytes(type, column, [this](const JsonValue& value, std::string_view* text) {
        *text = TextOf(value);
        return true;
      });
    case arrow::Type::BINARY:
      return DecodeBytes(type, column, [this](const JsonValue& value, std::string_view* bytes) {
        if (!IsString(value)) return false;
        const std::string text(TextOf(value));
        scratch_.clear();
        const bool is_valid = JsonBase64(text, &scratch_);
        *bytes = scratch_;
        return is_valid;
      });
    case arrow::Type::NA:
      return DecodeVoid(type, column);
    case arrow::Type::STRUCT:
      return DecodeStruct(type, column);
    case arrow::Type::LIST:
      return DecodeList(type, column);
    case arrow::Type::MAP:
      return DecodeMap(type, column);
    default:
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                       fmt::format("json reader: type={}", type->ToString()));
  }
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> JsonDecoder::Decode(
    const std::shared_ptr<arrow::DataType>& type, Values values, std::vector<uint8_t>* bad_rows) {
  bad_rows_ = bad_rows;
  return DecodeColumn(type, {.values = values});
}

}  // namespace tidemill
