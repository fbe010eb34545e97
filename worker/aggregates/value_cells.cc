#include "worker/aggregates/value_cells.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <cstring>

#include "state/table/row_codec.h"
#include "worker/aggregates/encoded_order.h"

namespace tidemill::worker {

namespace {

template <class T>
int CompareFixed(const uint8_t* value, const uint8_t* cell) {
  T a, b;
  std::memcpy(&a, value, sizeof(T));
  std::memcpy(&b, cell, sizeof(T));
  return CompareValues(a, b);
}

int CompareDecimals(const uint8_t* value, const uint8_t* cell) {
  return CompareValues(arrow::Decimal128(value), arrow::Decimal128(cell));
}

int CompareFixedValues(const arrow::DataType& type, const uint8_t* value, const uint8_t* cell) {
  switch (type.id()) {
    case arrow::Type::NA:
      return 0;
    case arrow::Type::BOOL:
      return CompareFixed<uint8_t>(value, cell);
    case arrow::Type::INT8:
      return CompareFixed<int8_t>(value, cell);
    case arrow::Type::INT16:
      return CompareFixed<int16_t>(value, cell);
    case arrow::Type::FLOAT:
      return CompareFixed<float>(value, cell);
    case arrow::Type::DOUBLE:
      return CompareFixed<double>(value, cell);
    case arrow::Type::DECIMAL128:
      return CompareDecimals(value, cell);
    default:
      return state::FixedWidthOf(type) == 4 ? CompareFixed<int32_t>(value, cell)
                                            : CompareFixed<int64_t>(value, cell);
  }
}

}  // namespace

ValueCells::ValueCells(const arrow::Array& array)
    : array_(array),
      width_(state::FixedWidthOf(*array.type())),
      has_nulls_(array.null_count() > 0),
      is_nested_(state::IsNestedType(*array.type())) {
  const bool has_values = width_ > 0 && array.data()->buffers[1] != nullptr;
  if (has_values && array.type_id() != arrow::Type::BOOL) {
    fixed_ = array.data()->buffers[1]->data() + array.offset() * width_;
  }
}

bool ValueCells::IsNull(int64_t i) const { return has_nulls_ && (width_ == 0 || array_.IsNull(i)); }

std::string_view ValueCells::BytesOf(int64_t i) {
  if (!is_nested_) return static_cast<const arrow::BinaryArray&>(array_).GetView(i);
  scratch_.Clear();
  state::AppendEncoded(array_, i, /*normalise=*/false, &scratch_);
  return {reinterpret_cast<const char*>(scratch_.data()), scratch_.size()};
}

void ValueCells::Store(int64_t i, uint32_t row, state::StateColumn* column) {
  if (IsNull(i)) {
    column->SetNull(row);
    return;
  }
  if (width_ < 0) {
    column->SetBytes(row, BytesOf(i));
    return;
  }
  column->validity()[row] = 1;
  if (fixed_ == nullptr) {
    column->values<uint8_t>()[row] = static_cast<const arrow::BooleanArray&>(array_).Value(i);
    return;
  }
  std::memcpy(column->values<uint8_t>() + static_cast<size_t>(row) * width_, fixed_ + i * width_,
              width_);
}

arrow::Result<int> ValueCells::Compare(int64_t i, uint32_t row, const state::StateColumn& column) {
  if (is_nested_) return CompareEncoded(*array_.type(), BytesOf(i), column.GetBytes(row));
  if (width_ < 0) return BytesOf(i).compare(column.GetBytes(row));
  const uint8_t* cell = column.values<uint8_t>() + static_cast<size_t>(row) * width_;
  if (fixed_ != nullptr) return CompareFixedValues(*array_.type(), fixed_ + i * width_, cell);
  const uint8_t value = static_cast<const arrow::BooleanArray&>(array_).Value(i) ? 1 : 0;
  return CompareFixed<uint8_t>(&value, cell);
}

}  // namespace tidemill::worker
