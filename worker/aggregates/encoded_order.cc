#include "worker/aggregates/encoded_order.h"

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cstring>

#include "state/table/row_codec.h"

namespace tidemill::worker {

namespace {

// One encoded value being read.
struct Cursor {
  const uint8_t* at;
  const uint8_t* end;

  bool Has(size_t bytes) const { return static_cast<size_t>(end - at) >= bytes; }
  template <class T>
  T Take() {
    T value;
    std::memcpy(&value, at, sizeof(T));
    at += sizeof(T);
    return value;
  }
};

arrow::Status Truncated() { return state::CorruptState("encoded value ends early"); }

template <class T>
int TakeAndCompare(Cursor* a, Cursor* b) {
  const T left = a->Take<T>();
  const T right = b->Take<T>();
  return CompareValues(left, right);
}

int CompareDecimals(Cursor* a, Cursor* b) {
  const arrow::Decimal128 left(a->at);
  const arrow::Decimal128 right(b->at);
  a->at += 16;
  b->at += 16;
  return CompareValues(left, right);
}

// Both have the type's width.
int CompareFixed(const arrow::DataType& type, Cursor* a, Cursor* b) {
  switch (type.id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::BOOL:
      return TakeAndCompare<uint8_t>(a, b);
    case arrow::Type::INT8:
      return TakeAndCompare<int8_t>(a, b);
    case arrow::Type::INT16:
      return TakeAndCompare<int16_t>(a, b);
    case arrow::Type::FLOAT:
      return TakeAndCompare<float>(a, b);
    case arrow::Type::DOUBLE:
      return TakeAndCompare<double>(a, b);
    case arrow::Type::DECIMAL128:
      return CompareDecimals(a, b);
    default:
      return state::FixedWidthOf(type) == 4 ? TakeAndCompare<int32_t>(a, b)
                                            : TakeAndCompare<int64_t>(a, b);
  }
}

arrow::Result<int> Compare(const arrow::DataType& type, Cursor* a, Cursor* b);

arrow::Result<std::string_view> TakeBytes(Cursor* cursor) {
  uint64_t length = 0;
  if (!state::ReadVarint(&cursor->at, cursor->end, &length) || !cursor->Has(length)) {
    return Truncated();
  }
  const std::string_view bytes(reinterpret_cast<const char*>(cursor->at), length);
  cursor->at += length;
  return bytes;
}

arrow::Result<int> CompareLists(const arrow::DataType& element, Cursor* a, Cursor* b) {
  uint64_t left = 0, right = 0;
  if (!state::ReadVarint(&a->at, a->end, &left) || !state::ReadVarint(&b->at, b->end, &right)) {
    return Truncated();
  }
  for (uint64_t i = 0; i < std::min(left, right); ++i) {
    ARROW_ASSIGN_OR_RAISE(const int order, Compare(element, a, b));
    if (order != 0) return order;
  }
  return CompareValues(left, right);
}

arrow::Result<int> CompareStructs(const arrow::DataType& type, Cursor* a, Cursor* b) {
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(const int order, Compare(*field->type(), a, b));
    if (order != 0) return order;
  }
  return 0;
}

// Moves both cursors behind the value where the values are equal; else it does not matter.
arrow::Result<int> Compare(const arrow::DataType& type, Cursor* a, Cursor* b) {
  const int32_t width = state::FixedWidthOf(type);
  const size_t least = 1 + static_cast<size_t>(std::max(width, 0));
  if (!a->Has(least) || !b->Has(least)) return Truncated();
  const uint8_t left = a->Take<uint8_t>();
  const uint8_t right = b->Take<uint8_t>();
  if (left > 1 || right > 1) return state::CorruptState("presence byte must be 0 or 1");
  if (left != right) return left < right ? -1 : 1;
  if (left == 0) {
    if (width > 0) {
      a->at += width;
      b->at += width;
    }
    return 0;
  }
  if (width >= 0) return CompareFixed(type, a, b);
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view x, TakeBytes(a));
      ARROW_ASSIGN_OR_RAISE(const std::string_view y, TakeBytes(b));
      return x.compare(y);
    }
    case arrow::Type::LIST:
      return CompareLists(*type.field(0)->type(), a, b);
    default:
      return CompareStructs(type, a, b);
  }
}

Cursor Over(std::string_view bytes) {
  const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
  return {begin, begin + bytes.size()};
}

}  // namespace

arrow::Result<int> CompareEncoded(const arrow::DataType& type, std::string_view a,
                                  std::string_view b) {
  Cursor left = Over(a);
  Cursor right = Over(b);
  return Compare(type, &left, &right);
}

}  // namespace tidemill::worker
