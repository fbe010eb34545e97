#include "worker/aggregates/sketches/number_columns.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <limits>

namespace tidemill::worker {

namespace {

template <class ArrayType>
double Read(const arrow::Array& array, int64_t row) {
  return static_cast<double>(static_cast<const ArrayType&>(array).Value(row));
}

double ReadDecimal(const arrow::Array& array, int64_t row) {
  const auto& type = static_cast<const arrow::Decimal128Type&>(*array.type());
  return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).Value(row))
      .ToDouble(type.scale());
}

// Towards zero, at the ends of the range as in Java.
template <class Builder>
arrow::Status AppendInteger(double value, arrow::ArrayBuilder* builder) {
  using Value = typename Builder::value_type;
  constexpr auto kLeast = static_cast<double>(std::numeric_limits<Value>::min());
  constexpr auto kMost = static_cast<double>(std::numeric_limits<Value>::max());
  Value result = 0;
  if (value >= kMost) {
    result = std::numeric_limits<Value>::max();
  } else if (value <= kLeast) {
    result = std::numeric_limits<Value>::min();
  } else if (!std::isnan(value)) {
    result = static_cast<Value>(value);
  }
  return static_cast<Builder*>(builder)->Append(result);
}

arrow::Status AppendDecimal(double value, arrow::ArrayBuilder* builder) {
  const auto& type = static_cast<const arrow::Decimal128Type&>(*builder->type());
  const auto decimal = arrow::Decimal128::FromReal(value, type.precision(), type.scale());
  if (!decimal.ok()) return builder->AppendNull();
  return static_cast<arrow::Decimal128Builder*>(builder)->Append(*decimal);
}

}  // namespace

NumberReader NumberReaderOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return Read<arrow::Int8Array>;
    case arrow::Type::INT16:
      return Read<arrow::Int16Array>;
    case arrow::Type::INT32:
      return Read<arrow::Int32Array>;
    case arrow::Type::INT64:
      return Read<arrow::Int64Array>;
    case arrow::Type::FLOAT:
      return Read<arrow::FloatArray>;
    case arrow::Type::DOUBLE:
      return Read<arrow::DoubleArray>;
    case arrow::Type::DATE32:
      return Read<arrow::Date32Array>;
    case arrow::Type::TIMESTAMP:
      return Read<arrow::TimestampArray>;
    case arrow::Type::INTERVAL_MONTHS:
      return Read<arrow::MonthIntervalArray>;
    case arrow::Type::DURATION:
      return Read<arrow::DurationArray>;
    case arrow::Type::DECIMAL128:
      return ReadDecimal;
    default:
      return nullptr;
  }
}

arrow::Status AppendNumber(double value, arrow::ArrayBuilder* builder) {
  switch (builder->type()->id()) {
    case arrow::Type::INT8:
      return AppendInteger<arrow::Int8Builder>(value, builder);
    case arrow::Type::INT16:
      return AppendInteger<arrow::Int16Builder>(value, builder);
    case arrow::Type::INT32:
      return AppendInteger<arrow::Int32Builder>(value, builder);
    case arrow::Type::INT64:
      return AppendInteger<arrow::Int64Builder>(value, builder);
    case arrow::Type::DATE32:
      return AppendInteger<arrow::Date32Builder>(value, builder);
    case arrow::Type::TIMESTAMP:
      return AppendInteger<arrow::TimestampBuilder>(value, builder);
    case arrow::Type::INTERVAL_MONTHS:
      return AppendInteger<arrow::MonthIntervalBuilder>(value, builder);
    case arrow::Type::DURATION:
      return AppendInteger<arrow::DurationBuilder>(value, builder);
    case arrow::Type::FLOAT:
      return static_cast<arrow::FloatBuilder*>(builder)->Append(static_cast<float>(value));
    case arrow::Type::DECIMAL128:
      return AppendDecimal(value, builder);
    default:
      return static_cast<arrow::DoubleBuilder*>(builder)->Append(value);
  }
}

}  // namespace tidemill::worker
