#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <span>
#include <string_view>

#include "common/expr/function_registry.h"

namespace tidemill {

enum class ArithmeticOp { kAdd, kSubtract, kMultiply, kDivide, kRemainder, kIntegralDivide, kPmod };

// The type of `a op b` over two decimals: Spark's rules, precision loss allowed.
// kIntegralDivide gives BIGINT.
std::shared_ptr<arrow::DataType> DecimalResultType(ArithmeticOp op, const arrow::DataType& a,
                                                   const arrow::DataType& b);
// Rounds half away from zero, as java.math.RoundingMode.HALF_UP. With `is_try`, errors are NULL.
Kernel MakeDecimalKernel(ArithmeticOp op, const std::shared_ptr<arrow::DataType>& a,
                         const std::shared_ptr<arrow::DataType>& b, bool is_try);

// Plain 128-bit helpers of the kernels. `digits` is 0 to 38.
__int128 PowerOfTen(int digits);
// value / 10^digits, half away from zero.
__int128 RoundedDownscale(__int128 value, int digits);
// Whether the value has at most `precision` digits.
bool FitsDecimal(__int128 value, int precision);
// value * 10^(to_scale - from_scale), rounded; false where it has more than `precision` digits.
bool RescaleDecimal(__int128 value, int from_scale, int to_scale, int precision, __int128* out);

}  // namespace tidemill
