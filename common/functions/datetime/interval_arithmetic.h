#pragma once

#include <arrow/result.h>

#include <span>
#include <string_view>

#include "common/expr/function_registry.h"
#include "common/functions/decimal.h"

namespace tidemill {

// +, -, * and / where an operand is an interval or both are points in time, as Spark has them:
// point +- span, span +- span, point - point, span * number, span / number. A DATE stays one beside
// whole days and months; with a time of day it becomes a TIMESTAMP.

// Whether the operator is one of these for operands of these types.
bool IsIntervalArithmetic(ArithmeticOp op, const arrow::DataType& a, const arrow::DataType& b);
// Errors: DATATYPE_MISMATCH.*. The kernels' errors: INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION,
// INTERVAL_DIVIDED_BY_ZERO, DATETIME_OVERFLOW, INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION; NULL
// instead of them with `is_try`.
arrow::Result<BoundFunction> BindIntervalArithmetic(ArithmeticOp op, std::string_view name,
                                                    bool is_try, std::span<const ExprPtr> args);
// The kernel of "negative" or "abs" over an interval type.
Kernel IntervalSignKernel(const std::shared_ptr<arrow::DataType>& type, bool is_abs);

// The error of interval arithmetic; `try_name` may be empty.
arrow::Status IntervalOverflow(std::string_view try_name);

}  // namespace tidemill
