#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>

#include "common/expr/function_registry.h"

namespace tidemill {

// The kernel of "=", "<", "<=", ">" or ">=" over two columns of `type`: NULL where either is NULL,
// NaN equal to itself and above every number, structs and arrays from left to right.
Kernel MakeComparisonKernel(std::string_view op, const std::shared_ptr<arrow::DataType>& type);

// Whether = is defined over values of the type (MAP has none) and whether < is.
bool IsComparable(const arrow::DataType& type);

// Order of two values of one type, NULL first: negative, 0 or positive. For nested types.
int CompareRows(const arrow::Array& a, int64_t row_a, const arrow::Array& b, int64_t row_b);

}  // namespace tidemill
