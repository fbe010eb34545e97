#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "common/expr/type_coercion.h"
#include "common/functions/columns.h"
#include "common/functions/math/math_parts.h"
#include "common/functions/signature.h"
#include "common/types/interval/interval.h"

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

template <class T>
arrow::Result<arrow::Datum> IntervalSign(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<T> spans(args[0]);
  return ComputeFixed<double>(context, args, rows, arrow::float64(),
                              [&](int64_t row) { return SignOf(static_cast<double>(spans[row])); });
}

FunctionInfo Sign() {
  FunctionInfo info = Unary("sign", SignOf);
  info.bind = [bind = info.bind](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() != 1 || !IsAnsiIntervalType(*args[0]->type)) return bind(args);
    const TypePtr& type = args[0]->type;
    return BoundFunction{
        {type},
        arrow::float64(),
        IsYearMonthInterval(*type) ? Kernel(IntervalSign<int32_t>) : Kernel(IntervalSign<int64_t>)};
  };
  return info;
}

}  // namespace

void AddMathFunctions(FunctionCatalog* catalog) {
  AddRoundFunctions(catalog);
  AddBitFunctions(catalog);
  AddBucketFunctions(catalog);
  catalog->Add(Unary("sqrt", [](double x) { return std::sqrt(x); }));
  // Through a wider type: std::cbrt may be off by a bit, Java's is not for cubes.
  catalog->Add(Unary("cbrt", [](double x) {
    return static_cast<double>(std::cbrt(static_cast<long double>(x)));
  }));
  catalog->Add(Unary("exp", [](double x) { return std::exp(x); }));
  catalog->Add(Unary("sin", [](double x) { return std::sin(x); }));
  catalog->Add(Unary("cos", [](double x) { return std::cos(x); }));
  catalog->Add(Unary("tan", [](double x) { return std::tan(x); }));
  catalog->Add(Unary("atan", [](double x) { return std::atan(x); }));
  catalog->Add(Unary("asin", [](double x) { return std::asin(x); }));
  catalog->Add(Unary("acos", [](double x) { return std::acos(x); }));
  catalog->Add(Unary("sinh", [](double x) { return std::sinh(x); }));
  catalog->Add(Unary("cosh", [](double x) { return std::cosh(x); }));
  catalog->Add(Unary("tanh", [](double x) { return std::tanh(x); }));
  catalog->Add(Unary("asinh", [](double x) { return std::asinh(x); }));
  catalog->Add(Unary("acosh", [](double x) { return std::acosh(x); }));
  catalog->Add(Unary("atanh", [](double x) { return std::atanh(x); }));
  catalog->Add(Unary("sec", [](double x) { return 1 / std::cos(x); }));
  catalog->Add(Unary("csc", [](double x) { return 1 / std::sin(x); }));
  catalog->Add(Unary("cot", [](double x) { return 1 / std::tan(x); }));
  catalog->Add(Unary("expm1", [](double x) { return std::expm1(x); }));
  catalog->Add(Unary("rint", [](double x) { return std::nearbyint(x); }));
  catalog->Add(Binary("hypot", [](double x, double y) { return std::hypot(x, y); }));
  catalog->Add(Unary("degrees", [](double x) { return x * (180.0 / std::numbers::pi); }));
  catalog->Add(Unary("radians", [](double x) { return x * (std::numbers::pi / 180.0); }));
  catalog->Add(Sign(), {"signum"});
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
