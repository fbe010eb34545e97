#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/functions/math/rounding.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

Kernel FloatKernel(const TypePtr& type, int scale, Half half) {
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<float> x(args[0]);
    return ComputeFixed<float>(context, args.subspan(0, 1), rows, type, [&](int64_t row) {
      return std::isfinite(x[row]) ? RoundByText(x[row], scale, half) : x[row];
    });
  };
}

Kernel DoubleKernel(const TypePtr& type, int scale, Half half) {
  return [=, rounded = DoubleRounder(scale, half)](const EvalContext& context, Args args,
                                                   int64_t rows) {
    const FixedColumn<double> x(args[0]);
    return ComputeFixed<double>(context, args.subspan(0, 1), rows, type,
                                [&](int64_t row) { return rounded(x[row]); });
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
    return ComputeFixedChecked<Int128>(
        context, args.subspan(0, 1), rows, to,
        [&](int64_t row, Int128* out) -> arrow::Result<bool> {
          const int drop = from_scale - std::min(scale, from_scale);
          const int most = std::min(drop, 38);
          if (drop > 38 && half < Half::kCeiling) return true;
          *out = RoundedDivide(x[row], most, half);
          if (*out == 0) return true;
          const bool is_far = scale < -38;
          const Int128 unit = scale < 0 && !is_far ? PowerOfTen(-scale) : 1;
          if (!is_far && !__builtin_mul_overflow(*out, unit, out) && FitsDecimal(*out, precision)) {
            return true;
          }
          return MakeError(ErrorKind::kJobFailed, "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION",
                           fmt::format("The rounded value cannot be represented as "
                                       "Decimal({}, {}).",
                                       precision, to_scale));
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
      return FloatKernel(type, scale, half);
    default:
      return DoubleKernel(type, scale, half);
  }
}

// The digits behind the point that the second argument asks for: 0 where there is none, nothing
// where it is NULL.
arrow::Result<std::optional<int>> ScaleOf(const std::string& name, std::span<const ExprPtr> args) {
  if (args.size() < 2) return 0;
  const Expr& digits = *args[1];
  if (digits.type->id() == arrow::Type::NA || IsNullLiteral(digits)) return std::nullopt;
  if (digits.type->id() != arrow::Type::INT32) return UnexpectedInput(name, args, 1, "\"INT\"");
  // A sign is a call of its own: round(x, -2).
  const bool is_negated =
      digits.kind == Expr::Kind::kCall && digits.name == "negative" && IsLiteral(*digits.args[0]);
  const Expr& literal = is_negated ? *digits.args[0] : digits;
  if (!IsLiteral(literal) || !literal.literal->is_valid) return NonFoldableArgument(name, args, 1);
  const int scale = static_cast<const arrow::Int32Scalar&>(*literal.literal).value;
  return is_negated ? -scale : scale;
}

arrow::Result<BoundFunction> BindRound(const std::string& name, Half half,
                                       std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("{}(expr[, d])", name), args.size(), 1, 2));
  ARROW_ASSIGN_OR_RAISE(const std::optional<int> given, ScaleOf(name, args));
  const int scale = given.value_or(0);
  TypePtr type = args[0]->type;
  if (IsStringType(*type) || type->id() == arrow::Type::NA) type = arrow::float64();
  if (!IsNumericType(*type)) return UnexpectedInput(name, args, 0, "\"NUMERIC\"");
  BoundFunction bound;
  bound.arg_types = {type};
  if (args.size() == 2) bound.arg_types.push_back(args[1]->type);
  bound.type = type;
  if (IsDecimalType(*type)) {
    bound.type = RoundedDecimal(static_cast<const arrow::DecimalType&>(*type), scale);
  }
  if (!given) {
    bound.kernel = [result = bound.type](const EvalContext&, Args,
                                         int64_t) -> arrow::Result<arrow::Datum> {
      return NullDatum(result);
    };
    return bound;
  }
  if (IsDecimalType(*type)) {
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

// As Java's (long) of a double, but what is beyond BIGINT fails.
arrow::Result<int64_t> LongOf(double value) {
  if (value != value) return 0;
  if (value >= 9223372036854775808.0 || value < -9223372036854775808.0) {
    return ArithmeticOverflow("long overflow", "");
  }
  return static_cast<int64_t>(value);
}

// ceil(expr) and floor(expr): BIGINT, and of a DECIMAL the decimal without a fraction.
arrow::Result<BoundFunction> BindWhole(const std::string& name, bool is_up,
                                       std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (IsIntegralType(*type)) {
    Kernel same = [](const EvalContext&, Args values, int64_t) -> arrow::Result<arrow::Datum> {
      return values[0];
    };
    return BoundFunction{{arrow::int64()}, arrow::int64(), std::move(same), /*is_total=*/true};
  }
  if (IsDecimalType(*type)) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
    const int whole = decimal.precision() - decimal.scale() + (decimal.scale() > 0 ? 1 : 0);
    const TypePtr result = arrow::decimal128(std::min(38, whole), 0);
    const Half half = is_up ? Half::kCeiling : Half::kFloor;
    return BoundFunction{{type}, result, DecimalKernel(type, result, 0, half), /*is_total=*/true};
  }
  if (!CanCastImplicitly(*type, *arrow::float64())) {
    return UnexpectedInput(name, args, 0, "(\"DOUBLE\" or \"DECIMAL\" or \"BIGINT\")");
  }
  Kernel kernel = [=](const EvalContext& context, Args values, int64_t rows) {
    const FixedColumn<double> x(values[0]);
    return ComputeFixedChecked<int64_t>(
        context, values, rows, arrow::int64(),
        [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(*out, LongOf(is_up ? std::ceil(x[row]) : std::floor(x[row])));
          return true;
        });
  };
  return BoundFunction{{arrow::float64()}, arrow::int64(), std::move(kernel)};
}

// The DECIMAL that ceil and floor with a scale cast to.
TypePtr DecimalFor(const TypePtr& type) {
  if (type->id() == arrow::Type::FLOAT) return arrow::decimal128(14, 7);
  if (type->id() == arrow::Type::DOUBLE) return arrow::decimal128(30, 15);
  if (IsStringType(*type) || type->id() == arrow::Type::NA) return arrow::decimal128(38, 18);
  return DecimalOf(type);
}

// ceil(expr[, scale]), floor(expr[, scale])
FunctionInfo Whole(const std::string& name, bool is_up) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr[, scale])", name);
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 2));
    if (args.size() == 1) return BindWhole(name, is_up, args);
    ARROW_ASSIGN_OR_RAISE(const std::optional<int> scale, ScaleOf(name, args));
    if (!scale) return NotAConstant(name, "scale", "INT");
    const TypePtr type = DecimalFor(args[0]->type);
    if (!IsDecimalType(*type)) return UnexpectedInput(name, args, 0, "\"DECIMAL\"");
    const TypePtr result = RoundedDecimal(static_cast<const arrow::DecimalType&>(*type), *scale);
    const Half half = is_up ? Half::kCeiling : Half::kFloor;
    return BoundFunction{{type, arrow::int32()}, result, DecimalKernel(type, result, *scale, half)};
  };
  return info;
}

}  // namespace

void AddRoundFunctions(FunctionCatalog* catalog) {
  catalog->Add(Round("round", Half::kUp));
  catalog->Add(Round("bround", Half::kEven));
  catalog->Add(Whole("ceil", true), {"ceiling"});
  catalog->Add(Whole("floor", false));
}

}  // namespace tidemill
