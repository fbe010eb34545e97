#pragma once

#include <arrow/type_fwd.h>

#include <memory>

namespace tidemill {

// Spark's ANSI type rules, beside CommonType (function_registry.h). Pure functions over types.

using TypePtr = std::shared_ptr<arrow::DataType>;

bool IsIntegralType(const arrow::DataType& type);  // TINYINT to BIGINT
bool IsFloatingType(const arrow::DataType& type);  // FLOAT, DOUBLE
bool IsDecimalType(const arrow::DataType& type);
bool IsNumericType(const arrow::DataType& type);
bool IsStringType(const arrow::DataType& type);
bool IsDatetimeType(const arrow::DataType& type);  // DATE and both TIMESTAMPs
// INTERVAL YEAR TO MONTH, DAY and DAY TO SECOND, whose values have an order.
bool IsAnsiIntervalType(const arrow::DataType& type);

// DECIMAL(precision, scale) with what does not fit in 38 digits cut: from the scale first, but at
// least 6 digits (or the whole scale) stay behind the point.
TypePtr AdjustedDecimal(int precision, int scale);
// The decimal that holds every value of an integral type, or the type itself.
TypePtr DecimalOf(const TypePtr& type);
// The decimal type that holds all values of both.
TypePtr WiderDecimal(const arrow::DataType& a, const arrow::DataType& b);

// Whether CAST may be written between the types.
bool CanCast(const arrow::DataType& from, const arrow::DataType& to);
// Whether an argument is cast silently to a parameter's type.
bool CanCastImplicitly(const arrow::DataType& from, const arrow::DataType& to);
// Whether a cast between the types fails on no value.
bool IsTotalCast(const arrow::DataType& from, const arrow::DataType& to);

}  // namespace tidemill
