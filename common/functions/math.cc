#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// A function of one DOUBLE that fails on nothing.
template <class Function>
FunctionInfo Unary(const std::string& name, Function function) {
  Kernel kernel = [function](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<double> x(args[0]);
    return ComputeFixed<double>(context, args, rows, arrow::float64(),
                                [&](int64_t row) { return function(x[row]); });
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr)", name),
                        .params = {arrow::float64()},
                        .result = arrow::float64(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

// Logarithms are NULL outside of their domain.
template <class Function>
FunctionInfo Logarithm(const std::string& name, double least, Function function) {
  Kernel kernel = [=](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<double> x(args[0]);
    return ComputeFixedChecked<double>(context, args, rows, arrow::float64(),
                                       [&](int64_t row, double* out) -> arrow::Result<bool> {
                                         *out = function(x[row]);
                                         return !(x[row] <= least);
                                       });
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr)", name),
                        .params = {arrow::float64()},
                        .result = arrow::float64(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

template <class Function>
FunctionInfo Binary(const std::string& name, Function function) {
  Kernel kernel = [function](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<double> x(args[0]), y(args[1]);
    return ComputeFixed<double>(context, args, rows, arrow::float64(),
                                [&](int64_t row) { return function(x[row], y[row]); });
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr1, expr2)", name),
                        .params = {arrow::float64(), arrow::float64()},
                        .result = arrow::float64(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

// log(x), or log(base, x).
FunctionInfo Log() {
  FunctionInfo natural = Logarithm("log", 0, [](double x) { return std::log(x); });
  FunctionInfo info = natural;
  info.usage = "log([base, ]expr)";
  Kernel kernel = [](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<double> base(args[0]), x(args[1]);
    return ComputeFixedChecked<double>(context, args, rows, arrow::float64(),
                                       [&](int64_t row, double* out) -> arrow::Result<bool> {
                                         *out = std::log(x[row]) / std::log(base[row]);
                                         return !(x[row] <= 0 || base[row] <= 0);
                                       });
  };
  auto bind_both = FromSignature({.name = "log",
                                  .usage = info.usage,
                                  .params = {arrow::float64(), arrow::float64()},
                                  .required = 1,
                                  .result = arrow::float64(),
                                  .kernel = std::move(kernel),
                                  .is_total = true})
                       .bind;
  info.bind = [bind_natural = natural.bind, bind_both](std::span<const ExprPtr> args) {
    return args.size() == 1 ? bind_natural(args) : bind_both(args);
  };
  return info;
}

// As Java's (long) of a double: cut at the limits, NaN is 0.
int64_t SaturatedLong(double value) {
  if (value != value) return 0;
  if (value >= 9223372036854775808.0) return std::numeric_limits<int64_t>::max();
  if (value < -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

arrow::Result<arrow::Datum> Identity(const EvalContext&, Args args, int64_t) { return args[0]; }

// ceil and floor: BIGINT, and of a DECIMAL the decimal without a fraction.
FunctionInfo Whole(const std::string& name, bool is_up) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (IsIntegralType(*type)) return BoundFunction{{arrow::int64()}, arrow::int64(), Identity};
    if (IsDecimalType(*type)) {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      const int scale = decimal.scale();
      const TypePtr result =
          arrow::decimal128(std::min(38, decimal.precision() - scale + (scale > 0 ? 1 : 0)), 0);
      Kernel kernel = [=](const EvalContext& context, Args values, int64_t rows) {
        const FixedColumn<Int128> x(values[0]);
        const Int128 power = PowerOfTen(scale);
        return ComputeFixed<Int128>(context, values, rows, result, [&](int64_t row) -> Int128 {
          const Int128 value = x[row], rest = value % power;
          if (rest == 0) return value / power;
          return value / power + (is_up ? (rest > 0 ? 1 : 0) : (rest < 0 ? -1 : 0));
        });
      };
      return BoundFunction{{type}, result, std::move(kernel)};
    }
    if (!CanCastImplicitly(*type, *arrow::float64())) {
      return UnexpectedInput(name, args, 0, "(\"DOUBLE\" or \"DECIMAL\" or \"BIGINT\")");
    }
    Kernel kernel = [=](const EvalContext& context, Args values, int64_t rows) {
      const FixedColumn<double> x(values[0]);
      return ComputeFixed<int64_t>(context, values, rows, arrow::int64(), [&](int64_t row) {
        return SaturatedLong(is_up ? std::ceil(x[row]) : std::floor(x[row]));
      });
    };
    return BoundFunction{{arrow::float64()}, arrow::int64(), std::move(kernel)};
  };
  return info;
}

FunctionInfo Constant(const std::string& name, double value) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "()";
  info.is_total = true;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, name + "()", args.size(), 0, 0));
    Kernel kernel = [value](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(value);
    };
    return BoundFunction{{}, arrow::float64(), std::move(kernel)};
  };
  return info;
}

double SignOf(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }

}  // namespace

void AddMathFunctions(FunctionCatalog* catalog) {
  AddRoundFunctions(catalog);
  catalog->Add(Whole("ceil", true), {"ceiling"});
  catalog->Add(Whole("floor", false));
  catalog->Add(Unary("sqrt", [](double x) { return std::sqrt(x); }));
  catalog->Add(Unary("cbrt", [](double x) { return std::cbrt(x); }));
  catalog->Add(Unary("exp", [](double x) { return std::exp(x); }));
  catalog->Add(Unary("sin", [](double x) { return std::sin(x); }));
  catalog->Add(Unary("cos", [](double x) { return std::cos(x); }));
  catalog->Add(Unary("tan", [](double x) { return std::tan(x); }));
  catalog->Add(Unary("atan", [](double x) { return std::atan(x); }));
  catalog->Add(Unary("degrees", [](double x) { return x * (180.0 / std::numbers::pi); }));
  catalog->Add(Unary("radians", [](double x) { return x * (std::numbers::pi / 180.0); }));
  catalog->Add(Unary("sign", SignOf), {"signum"});
  catalog->Add(Log());
  catalog->Add(Logarithm("ln", 0, [](double x) { return std::log(x); }));
  catalog->Add(Logarithm("log10", 0, [](double x) { return std::log10(x); }));
  catalog->Add(Logarithm("log2", 0, [](double x) { return std::log2(x); }));
  catalog->Add(Logarithm("log1p", -1, [](double x) { return std::log1p(x); }));
  catalog->Add(Binary("pow",
                      [](double x, double y) {
                        // Java: 1 to the power of NaN, and -1 to infinity, are NaN.
                        if (y != y || (std::isinf(y) && std::fabs(x) == 1)) {
                          return std::numeric_limits<double>::quiet_NaN();
                        }
                        return std::pow(x, y);
                      }),
               {"power"});
  // Adding 0.0 makes 0.0 of -0.0, as Spark does.
  catalog->Add(Binary("atan2", [](double y, double x) { return std::atan2(y + 0.0, x + 0.0); }));
  catalog->Add(Constant("pi", std::numbers::pi));
  catalog->Add(Constant("e", std::numbers::e));
}

}  // namespace tidemill
