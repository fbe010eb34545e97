#include "common/functions/decimal.h"

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/columns.h"

namespace tidemill {

namespace {

struct Shape {
  int precision = 0;
  int scale = 0;
};

Shape ShapeOf(const arrow::DataType& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  return {decimal.precision(), decimal.scale()};
}

arrow::Decimal256 Wide(Int128 value) {
  return arrow::Decimal256(
      arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value)));
}

arrow::Decimal256 WidePower(int digits) {
  return arrow::Decimal256(arrow::Decimal256::GetScaleMultiplier(digits));
}

arrow::Decimal256 WideDifference(const arrow::Decimal256& a, arrow::Decimal256 b) {
  b.Negate();
  return arrow::Decimal256(a + b);
}

// value * 10^digits; false where 256 bits do not hold it.
bool WideUpscale(arrow::Decimal256* value, int digits) {
  if (digits == 0) return true;
  const arrow::Decimal256 scaled = *value * WidePower(digits);
  if (scaled / WidePower(digits) != *value) return false;
  *value = scaled;
  return true;
}

// a / b, half away from zero.
arrow::Decimal256 WideRoundedDivide(const arrow::Decimal256& a, const arrow::Decimal256& b) {
  const auto parts = a.Divide(b).ValueOrDie();  // fails only for b = 0
  arrow::Decimal256 quotient(parts.first);
  arrow::Decimal256 remainder(parts.second);
  remainder.Abs();
  arrow::Decimal256 magnitude(b);
  magnitude.Abs();
  if (remainder + remainder >= magnitude) {
    quotient += arrow::Decimal256(a.Sign() * b.Sign());
  }
  return quotient;
}

enum class Outcome { kOk, kOverflow, kZeroDivisor };

// One operation on unscaled values, with everything about the types worked out before.
struct DecimalOperation {
  ArithmeticOp op;
  Shape a, b, result;
  bool is_narrow = false;  // no intermediate value leaves 128 bits

  Outcome Apply(Int128 x, Int128 y, Int128* out) const {
    const bool divides =
        op != ArithmeticOp::kAdd && op != ArithmeticOp::kSubtract && op != ArithmeticOp::kMultiply;
    if (divides && y == 0) return Outcome::kZeroDivisor;
    return is_narrow ? ApplyNarrow(x, y, out) : ApplyWide(x, y, out);
  }

  Outcome Fit(Int128 value, int scale, Int128* out) const {
    return RescaleDecimal(value, scale, result.scale, result.precision, out) ? Outcome::kOk
                                                                             : Outcome::kOverflow;
  }

  Outcome ApplyNarrow(Int128 x, Int128 y, Int128* out) const {
    const int scale = std::max(a.scale, b.scale);
    switch (op) {
      case ArithmeticOp::kMultiply:
        return Fit(x * y, a.scale + b.scale, out);
      case ArithmeticOp::kDivide: {
        const Int128 numerator = x * PowerOfTen(result.scale - a.scale + b.scale);
        const Int128 quotient = numerator / y;
        const Int128 rest = numerator % y;
        const Int128 magnitude = rest < 0 ? -rest : rest;
        const bool up = magnitude * 2 >= (y < 0 ? -y : y);
        *out = quotient + (up ? ((x < 0) == (y < 0) ? 1 : -1) : 0);
        return FitsDecimal(*out, result.precision) ? Outcome::kOk : Outcome::kOverflow;
      }
      default:
        break;
    }
    x *= PowerOfTen(scale - a.scale);
    y *= PowerOfTen(scale - b.scale);
    switch (op) {
      case ArithmeticOp::kAdd:
        return Fit(x + y, scale, out);
      case ArithmeticOp::kSubtract:
        return Fit(x - y, scale, out);
      case ArithmeticOp::kIntegralDivide:
        *out = x / y;
        return FitsInt64(*out) ? Outcome::kOk : Outcome::kOverflow;
      case ArithmeticOp::kPmod: {
        const Int128 rest = x % y;
        return Fit(rest < 0 ? (rest + y) % y : rest, scale, out);
      }
      default:
        return Fit(x % y, scale, out);
    }
  }

  Outcome ApplyWide(Int128 x, Int128 y, Int128* out) const {
    arrow::Decimal256 left = Wide(x), right = Wide(y);
    if (op == ArithmeticOp::kMultiply) return FitWide(left * right, a.scale + b.scale, out);
    if (op == ArithmeticOp::kDivide) {
      if (!WideUpscale(&left, result.scale - a.scale + b.scale)) return Outcome::kOverflow;
      return FitWide(WideRoundedDivide(left, right), result.scale, out);
    }
    const int scale = std::max(a.scale, b.scale);
    if (!WideUpscale(&left, scale - a.scale) || !WideUpscale(&right, scale - b.scale)) {
      return Outcome::kOverflow;
    }
    if (op == ArithmeticOp::kAdd) return FitWide(left + right, scale, out);
    if (op == ArithmeticOp::kSubtract) return FitWide(WideDifference(left, right), scale, out);
    const auto parts = left.Divide(right).ValueOrDie();  // fails only for 0
    if (op == ArithmeticOp::kIntegralDivide) {
      if (FitWide(arrow::Decimal256(parts.first), 0, out) != Outcome::kOk || !FitsInt64(*out)) {
        return Outcome::kOverflow;
      }
      return Outcome::kOk;
    }
    arrow::Decimal256 rest(parts.second);
    if (op == ArithmeticOp::kPmod && rest.Sign() < 0) {
      rest = arrow::Decimal256(arrow::Decimal256(rest + right).Divide(right).ValueOrDie().second);
    }
    return FitWide(rest, scale, out);
  }

  Outcome FitWide(arrow::Decimal256 value, int scale, Int128* out) const {
    const int target = op == ArithmeticOp::kIntegralDivide ? 0 : result.scale;
    const int precision = op == ArithmeticOp::kIntegralDivide ? 38 : result.precision;
    if (scale > target) value = WideRoundedDivide(value, WidePower(scale - target));
    if (scale < target && !WideUpscale(&value, target - scale)) return Outcome::kOverflow;
    if (!value.FitsInPrecision(precision)) return Outcome::kOverflow;
    const auto& words = value.little_endian_array();
    *out = static_cast<Int128>((static_cast<unsigned __int128>(words[1]) << 64) | words[0]);
    return Outcome::kOk;
  }

  static bool FitsInt64(Int128 value) {
    return value >= std::numeric_limits<int64_t>::min() &&
           value <= std::numeric_limits<int64_t>::max();
  }

  bool StaysNarrow() const {
    if (op == ArithmeticOp::kMultiply) return a.precision + b.precision <= 38;
    if (op == ArithmeticOp::kDivide) {
      const int shift = result.scale - a.scale + b.scale;
      return shift >= 0 && a.precision + shift <= 37 && b.precision <= 37;
    }
    const int scale = std::max(a.scale, b.scale);
    return a.precision + scale - a.scale <= 37 && b.precision + scale - b.scale <= 37;
  }

  arrow::Status Error(Outcome outcome, Int128 x, Int128 y) const {
    if (outcome == Outcome::kZeroDivisor) {
      const bool is_rest = op == ArithmeticOp::kRemainder || op == ArithmeticOp::kPmod;
      return is_rest ? RemainderByZero() : DivideByZero();
    }
    if (op == ArithmeticOp::kIntegralDivide) {
      return ArithmeticOverflow("Overflow in integral divide", "try_divide");
    }
    return DecimalOutOfRange(ExactText(x, y), result.precision, result.scale);
  }

  // The exact result as Spark prints it.
  std::string ExactText(Int128 x, Int128 y) const {
    arrow::Decimal256 left = Wide(x), right = Wide(y);
    if (op == ArithmeticOp::kMultiply) {
      return arrow::Decimal256(left * right).ToString(a.scale + b.scale);
    }
    const int scale = std::max(a.scale, b.scale);
    if (op == ArithmeticOp::kDivide) {
      if (!WideUpscale(&left, result.scale - a.scale + b.scale)) return left.ToString(a.scale);
      return WideRoundedDivide(left, right).ToString(result.scale);
    }
    (void)(WideUpscale(&left, scale - a.scale) && WideUpscale(&right, scale - b.scale));
    const arrow::Decimal256 sum = op == ArithmeticOp::kSubtract ? WideDifference(left, right)
                                                                : arrow::Decimal256(left + right);
    return sum.ToString(scale);
  }
};

template <class T>
Kernel KernelOf(const DecimalOperation& operation, const TypePtr& type, bool is_try) {
  return [=](const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<Int128> a(args[0]), b(args[1]);
    return ComputeFixedChecked<T>(context, args, rows, type,
                                  [&](int64_t row, T* out) -> arrow::Result<bool> {
                                    Int128 value = 0;
                                    const Outcome outcome = operation.Apply(a[row], b[row], &value);
                                    if (outcome == Outcome::kOk) {
                                      *out = static_cast<T>(value);
                                      return true;
                                    }
                                    if (is_try) return false;
                                    return operation.Error(outcome, a[row], b[row]);
                                  });
  };
}

}  // namespace

TypePtr DecimalResultType(ArithmeticOp op, const arrow::DataType& left,
                          const arrow::DataType& right) {
  const Shape a = ShapeOf(left), b = ShapeOf(right);
  const int scale = std::max(a.scale, b.scale);
  const int whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
  switch (op) {
    case ArithmeticOp::kAdd:
    case ArithmeticOp::kSubtract:
      return AdjustedDecimal(std::max(whole_a, whole_b) + scale + 1, scale);
    case ArithmeticOp::kMultiply:
      return AdjustedDecimal(a.precision + b.precision + 1, a.scale + b.scale);
    case ArithmeticOp::kDivide: {
      const int digits = std::max(6, a.scale + b.precision + 1);
      return AdjustedDecimal(whole_a + b.scale + digits, digits);
    }
    case ArithmeticOp::kRemainder:
    case ArithmeticOp::kPmod:
      return AdjustedDecimal(std::min(whole_a, whole_b) + scale, scale);
    case ArithmeticOp::kIntegralDivide:
      return arrow::int64();
  }
  return nullptr;
}

Kernel MakeDecimalKernel(ArithmeticOp op, const TypePtr& a, const TypePtr& b, bool is_try) {
  DecimalOperation operation;
  operation.op = op;
  operation.a = ShapeOf(*a);
  operation.b = ShapeOf(*b);
  const TypePtr type = DecimalResultType(op, *a, *b);
  if (op == ArithmeticOp::kIntegralDivide) {
    operation.is_narrow = operation.StaysNarrow();
    return KernelOf<int64_t>(operation, type, is_try);
  }
  operation.result = ShapeOf(*type);
  operation.is_narrow = operation.StaysNarrow();
  return KernelOf<Int128>(operation, type, is_try);
}

Int128 PowerOfTen(int digits) {
  static const std::array<Int128, 39> powers = [] {
    std::array<Int128, 39> table{};
    table[0] = 1;
    for (size_t i = 1; i < table.size(); ++i) table[i] = table[i - 1] * 10;
    return table;
  }();
  return powers[digits];
}

Int128 RoundedDownscale(Int128 value, int digits) {
  if (digits == 0) return value;
  if (digits > 38) return 0;
  const Int128 power = PowerOfTen(digits);
  const Int128 rest = value % power;
  const Int128 magnitude = rest < 0 ? -rest : rest;
  return value / power + (magnitude >= power - magnitude ? (value < 0 ? -1 : 1) : 0);
}

bool FitsDecimal(Int128 value, int precision) {
  const Int128 limit = PowerOfTen(precision);
  return value < limit && value > -limit;
}

bool RescaleDecimal(Int128 value, int from_scale, int to_scale, int precision, Int128* out) {
  if (to_scale <= from_scale) {
    *out = RoundedDownscale(value, from_scale - to_scale);
  } else {
    const int digits = to_scale - from_scale;
    if (digits > 38 || __builtin_mul_overflow(value, PowerOfTen(digits), out)) {
      *out = 0;
      return value == 0;
    }
  }
  return FitsDecimal(*out, precision);
}

}  // namespace tidemill
