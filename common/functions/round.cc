#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// How a half is rounded: away from zero (round), or to the even neighbour (bround).
enum class Half { kUp, kEven };

// value / 10^digits rounded, for digits up to 38.
Int128 RoundedDivide(Int128 value, int digits, Half half) {
  const Int128 power = PowerOfTen(digits);
  const Int128 quotient = value / power;
  const Int128 rest = value % power;
  const Int128 magnitude = rest < 0 ? -rest : rest;
  const Int128 other = power - magnitude;
  const bool is_tie = magnitude == other;
  const bool up = magnitude > other || (is_tie && (half == Half::kUp || quotient % 2 != 0));
  return quotient + (up && digits > 0 ? (value < 0 ? -1 : 1) : 0);
}

// The shortest decimal text of the number, rounded, and read again: what BigDecimal.valueOf does.
template <class T>
T RoundByText(T x, int scale, Half half) {
  char text[48];
  const auto end = std::to_chars(text, text + sizeof(text), x, std::chars_format::scientific).ptr;
  const char* mark = std::find(static_cast<const char*>(text), static_cast<const char*>(end), 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  Int128 digits = 0;
  int behind_point = 0;
  bool is_behind = false;
  for (const char* c = text; c != mark; ++c) {
    if (*c == '.') is_behind = true;
    if (*c < '0' || *c > '9') continue;
    digits = digits * 10 + (*c - '0');
    if (is_behind) ++behind_point;
  }
  const int drop = behind_point - exponent - scale;  // digits to round away
  if (drop <= 0) return x;
  if (drop > 38) return std::copysign(T{0}, x);
  const Int128 rounded = RoundedDivide(digits, drop, half);
  const std::string result =
      fmt::format("{}e{}", static_cast<uint64_t>(rounded), -scale);  // at most 17 digits
  T value = 0;
  std::from_chars(result.data(), result.data() + result.size(), value);
  return x < 0 ? -value : value;
}

template <class T>
T RoundFloat(T x, int scale, Half half) {
  if (!std::isfinite(x)) return x;
  if constexpr (std::is_same_v<T, double>) {
    if (scale >= 0 && scale <= 15) {
      const double power = static_cast<double>(PowerOfTen(scale));
      const double scaled = std::fabs(x) * power;
      const double whole = std::floor(scaled);
      const double fraction = scaled - whole;
      // Both operands of the division are exact, so its result is the nearest double. Close to a
      // half the decimal text decides.
      if (scaled < 1e15 && std::fabs(fraction - 0.5) > 1e-15 * (scaled + 1)) {
        const double result = (whole + (fraction > 0.5 ? 1 : 0)) / power;
        return x < 0 ? -result : result;
      }
    }
  }
  return RoundByText(x, scale, half);
}

template <class T>
Kernel FloatKernel(const TypePtr& type, int scale, Half half) {
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<T> x(args[0]);
    return ComputeFixed<T>(context, args.subspan(0, 1), rows, type,
                           [&](int64_t row) { return RoundFloat(x[row], scale, half); });
  };
}

template <class T>
Kernel IntegerKernel(const TypePtr& type, int scale, Half half) {
  return [=](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
    if (scale >= 0) return args[0];
    const FixedColumn<T> x(args[0]);
    return ComputeFixedChecked<T>(
        context, args.subspan(0, 1), rows, type, [&](int64_t row, T* out) -> arrow::Result<bool> {
          if (scale < -19) return true;
          const Int128 rounded = RoundedDivide(x[row], -scale, half) * PowerOfTen(-scale);
          *out = static_cast<T>(rounded);
          if (*out == rounded) return true;
          return ArithmeticOverflow("Overflow", "");
        });
  };
}

// After rounding one more digit may stand before the point.
TypePtr RoundedDecimal(const arrow::DecimalType& type, int scale) {
  const int whole = type.precision() - type.scale() + 1;
  if (scale < 0) return arrow::decimal128(std::min(std::max(whole, -scale + 1), 38), 0);
  const int kept = std::min(type.scale(), scale);
  return arrow::decimal128(std::min(whole + kept, 38), kept);
}

Kernel DecimalKernel(const TypePtr& from, const TypePtr& to, int scale, Half half) {
  const int from_scale = static_cast<const arrow::DecimalType&>(*from).scale();
  const auto& result = static_cast<const arrow::DecimalType&>(*to);
  return [=, precision = result.precision(), to_scale = result.scale()](const EvalContext& context,
                                                                        Args args, int64_t rows) {
    const FixedColumn<Int128> x(args[0]);
    return ComputeFixedChecked<Int128>(context, args.subspan(0, 1), rows, to,
                                       [&](int64_t row, Int128* out) -> arrow::Result<bool> {
                                         const int drop = from_scale - std::min(scale, from_scale);
                                         if (drop > 38) return true;
                                         *out = RoundedDivide(x[row], drop, half);
                                         if (scale < 0) *out *= PowerOfTen(-scale);
                                         if (FitsDecimal(*out, precision)) return true;
                                         return DecimalOutOfRange("the rounded value", precision,
                                                                  to_scale);
                                       });
  };
}

arrow::Result<Kernel> NumberKernel(const TypePtr& type, int scale, Half half) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return IntegerKernel<int8_t>(type, scale, half);
    case arrow::Type::INT16:
      return IntegerKernel<int16_t>(type, scale, half);
    case arrow::Type::INT32:
      return IntegerKernel<int32_t>(type, scale, half);
    case arrow::Type::INT64:
      return IntegerKernel<int64_t>(type, scale, half);
    case arrow::Type::FLOAT:
      return FloatKernel<float>(type, scale, half);
    default:
      return FloatKernel<double>(type, scale, half);
  }
}

arrow::Result<BoundFunction> BindRound(const std::string& name, Half half,
                                       std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("{}(expr[, d])", name), args.size(), 1, 2));
  int scale = 0;
  if (args.size() == 2) {
    const Expr& digits = *args[1];
    if (digits.type->id() != arrow::Type::INT32) {
      return UnexpectedInput(name, args, 1, "\"INT\"");
    }
    // A sign is a call of its own: round(x, -2).
    const bool is_negated =
        digits.kind == Expr::Kind::kCall && digits.name == "negative" && IsLiteral(*digits.args[0]);
    const Expr& literal = is_negated ? *digits.args[0] : digits;
    if (!IsLiteral(literal) || !literal.literal->is_valid) {
      return NonFoldableArgument(name, args, 1);
    }
    scale = static_cast<const arrow::Int32Scalar&>(*literal.literal).value;
    if (is_negated) scale = -scale;
  }
  TypePtr type = args[0]->type;
  if (IsStringType(*type) || type->id() == arrow::Type::NA) type = arrow::float64();
  if (!IsNumericType(*type)) return UnexpectedInput(name, args, 0, "\"NUMERIC\"");
  BoundFunction bound;
  bound.arg_types = {type};
  if (args.size() == 2) bound.arg_types.push_back(arrow::int32());
  bound.type = type;
  if (IsDecimalType(*type)) {
    bound.type = RoundedDecimal(static_cast<const arrow::DecimalType&>(*type), scale);
    bound.kernel = DecimalKernel(type, bound.type, scale, half);
    return bound;
  }
  ARROW_ASSIGN_OR_RAISE(bound.kernel, NumberKernel(type, scale, half));
  bound.is_total = scale >= 0;
  return bound;
}

FunctionInfo Round(const std::string& name, Half half) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr[, d])", name);
  info.bind = [=](std::span<const ExprPtr> args) { return BindRound(name, half, args); };
  return info;
}

}  // namespace

void AddRoundFunctions(FunctionCatalog* catalog) {
  catalog->Add(Round("round", Half::kUp));
  catalog->Add(Round("bround", Half::kEven));
}

}  // namespace tidemill
