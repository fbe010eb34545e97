#include "state/table/row_codec.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"

namespace tidemill::state {

namespace {

void AppendVarint(uint64_t value, PodVector<uint8_t>* out) {
  const size_t size = out->size();
  out->Resize(size + VarintSize(value));
  WriteVarint(out->data() + size, value);
}

void AppendFixed(const arrow::Array& array, int64_t row, int32_t width, bool normalise,
                 PodVector<uint8_t>* out) {
  const size_t size = out->size();
  out->ResizeZeroed(size + width);
  if (array.IsNull(row) || width == 0) return;
  uint8_t* target = out->data() + size;
  if (array.type_id() == arrow::Type::BOOL) {
    *target = static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0;
    return;
  }
  const uint8_t* source = array.data()->buffers[1]->data() + (array.offset() + row) * width;
  std::memcpy(target, source, width);
  if (!normalise) return;
  if (array.type_id() == arrow::Type::FLOAT) {
    uint32_t bits;
    std::memcpy(&bits, target, sizeof(bits));
    bits = NormalisedBits(bits);
    std::memcpy(target, &bits, sizeof(bits));
  } else if (array.type_id() == arrow::Type::DOUBLE) {
    uint64_t bits;
    std::memcpy(&bits, target, sizeof(bits));
    bits = NormalisedBits(bits);
    std::memcpy(target, &bits, sizeof(bits));
  }
}

arrow::Status Truncated() { return CorruptState("encoded value ends early"); }

// A bool is any non-zero byte; everything else has the width of its C type.
template <class Builder>
arrow::Status ReadFixed(const uint8_t* bytes, arrow::ArrayBuilder* builder) {
  typename Builder::value_type value;
  std::memcpy(&value, bytes, sizeof(value));
  return static_cast<Builder*>(builder)->Append(value);
}

arrow::Status ReadFixedValue(const uint8_t* bytes, arrow::ArrayBuilder* builder) {
  switch (builder->type()->id()) {
    case arrow::Type::NA:
      return builder->AppendNull();
    case arrow::Type::BOOL:
      return static_cast<arrow::BooleanBuilder*>(builder)->Append(*bytes != 0);
    case arrow::Type::INT8:
      return ReadFixed<arrow::Int8Builder>(bytes, builder);
    case arrow::Type::INT16:
      return ReadFixed<arrow::Int16Builder>(bytes, builder);
    case arrow::Type::INT32:
      return ReadFixed<arrow::Int32Builder>(bytes, builder);
    case arrow::Type::INT64:
      return ReadFixed<arrow::Int64Builder>(bytes, builder);
    case arrow::Type::FLOAT:
      return ReadFixed<arrow::FloatBuilder>(bytes, builder);
    case arrow::Type::DOUBLE:
      return ReadFixed<arrow::DoubleBuilder>(bytes, builder);
    case arrow::Type::DATE32:
      return ReadFixed<arrow::Date32Builder>(bytes, builder);
    case arrow::Type::TIMESTAMP:
      return ReadFixed<arrow::TimestampBuilder>(bytes, builder);
    case arrow::Type::INTERVAL_MONTHS:
      return ReadFixed<arrow::MonthIntervalBuilder>(bytes, builder);
    case arrow::Type::DURATION:
      return ReadFixed<arrow::DurationBuilder>(bytes, builder);
    default:
      return static_cast<arrow::Decimal128Builder*>(builder)->Append(
          std::string_view(reinterpret_cast<const char*>(bytes), 16));
  }
}

// The count of an array or map. Each element takes a byte at least, which bounds a damaged count.
arrow::Status ReadCount(const uint8_t** cursor, const uint8_t* end, uint64_t* count) {
  if (!ReadVarint(cursor, end, count)) return Truncated();
  if (*count > static_cast<uint64_t>(end - *cursor)) return Truncated();
  return arrow::Status::OK();
}

arrow::Status ReadVariable(const uint8_t** cursor, const uint8_t* end,
                           arrow::ArrayBuilder* builder) {
  uint64_t count = 0;
  switch (builder->type()->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      ARROW_RETURN_NOT_OK(ReadCount(cursor, end, &count));
      auto* bytes = static_cast<arrow::BinaryBuilder*>(builder);
      ARROW_RETURN_NOT_OK(bytes->Append(*cursor, static_cast<int32_t>(count)));
      *cursor += count;
      return arrow::Status::OK();
    }
    case arrow::Type::LIST: {
      ARROW_RETURN_NOT_OK(ReadCount(cursor, end, &count));
      auto* list = static_cast<arrow::ListBuilder*>(builder);
      ARROW_RETURN_NOT_OK(list->Append());
      for (uint64_t i = 0; i < count; ++i)
        ARROW_RETURN_NOT_OK(ReadEncoded(cursor, end, list->value_builder()));
      return arrow::Status::OK();
    }
    case arrow::Type::MAP: {
      ARROW_RETURN_NOT_OK(ReadCount(cursor, end, &count));
      auto* map = static_cast<arrow::MapBuilder*>(builder);
      ARROW_RETURN_NOT_OK(map->Append());
      for (uint64_t i = 0; i < count; ++i) {
        ARROW_RETURN_NOT_OK(ReadEncoded(cursor, end, map->key_builder()));
        ARROW_RETURN_NOT_OK(ReadEncoded(cursor, end, map->item_builder()));
      }
      return arrow::Status::OK();
    }
    default: {
      auto* fields = static_cast<arrow::StructBuilder*>(builder);
      ARROW_RETURN_NOT_OK(fields->Append());
      for (int i = 0; i < fields->num_fields(); ++i)
        ARROW_RETURN_NOT_OK(ReadEncoded(cursor, end, fields->field_builder(i)));
      return arrow::Status::OK();
    }
  }
}

}  // namespace

int32_t FixedWidthOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
      return 1;
    case arrow::Type::INT16:
      return 2;
    case arrow::Type::INT32:
    case arrow::Type::FLOAT:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      return 4;
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return 8;
    case arrow::Type::DECIMAL128:
      return 16;
    default:
      return -1;
  }
}

bool IsNestedType(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::MAP ||
         type.id() == arrow::Type::STRUCT;
}

void AppendEncoded(const arrow::Array& array, int64_t row, bool normalise,
                   PodVector<uint8_t>* out) {
  const bool is_null = array.IsNull(row);
  out->PushBack(is_null ? 0 : 1);
  if (const int32_t width = FixedWidthOf(*array.type()); width >= 0) {
    AppendFixed(array, row, width, normalise, out);
    return;
  }
  if (is_null) return;
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const auto bytes = static_cast<const arrow::BinaryArray&>(array).GetView(row);
      AppendVarint(bytes.size(), out);
      out->Append(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      return;
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      AppendVarint(list.value_length(row), out);
      for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
        AppendEncoded(*list.values(), i, normalise, out);
      return;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      AppendVarint(map.value_length(row), out);
      for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
        AppendEncoded(*map.keys(), i, normalise, out);
        AppendEncoded(*map.items(), i, normalise, out);
      }
      return;
    }
    default: {
      TIDEMILL_CHECK(array.type_id() == arrow::Type::STRUCT);
      const auto& fields = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < fields.num_fields(); ++i)
        AppendEncoded(*fields.field(i), row, normalise, out);
    }
  }
}

arrow::Status ReadEncoded(const uint8_t** cursor, const uint8_t* end,
                          arrow::ArrayBuilder* builder) {
  if (*cursor >= end) return Truncated();
  const uint8_t presence = *(*cursor)++;
  if (presence > 1)
    return CorruptState(fmt::format("presence byte must be 0 or 1: value={}", presence));
  const int32_t width = FixedWidthOf(*builder->type());
  if (width >= 0) {
    if (end - *cursor < width) return Truncated();
    const uint8_t* bytes = *cursor;
    *cursor += width;
    return presence == 0 ? builder->AppendNull() : ReadFixedValue(bytes, builder);
  }
  return presence == 0 ? builder->AppendNull() : ReadVariable(cursor, end, builder);
}

arrow::Status CorruptState(std::string message) {
  return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT", std::move(message));
}

}  // namespace tidemill::state
