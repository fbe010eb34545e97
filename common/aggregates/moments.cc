// Variance and its relatives: statistics of one number, and of pairs.
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

// `columns` DOUBLEs as the accumulator: the number of rows, means, and central moments.
AggregateInfo MomentInfo(const std::string& name, size_t args, size_t columns,
                         std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}({})", name, args == 1 ? "expr" : "expr1, expr2");
  if (name.starts_with("regr_")) info.usage = fmt::format("{}(y, x)", name);
  info.description = std::move(description);
  info.example = std::move(example);
  info.bind = [name, args, columns, usage = info.usage](
                  const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), args, args));
    for (size_t i = 0; i < args; ++i) ARROW_RETURN_NOT_OK(CheckCasts(request, i, arrow::float64()));
    return MakeSignature(name, std::vector<TypePtr>(args, arrow::float64()), arrow::float64(),
                         std::vector<TypePtr>(columns, arrow::float64()));
  };
  return info;
}

// Only counts pairs, so any types will do.
AggregateInfo PairCountInfo() {
  AggregateInfo info =
      MomentInfo("regr_count", 2, 0, "The number of rows in which neither is NULL.",
                 "regr_count(y, x) of (1, 2), (NULL, 3): 1");
  info.bind = [usage =
                   info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount("regr_count", usage, request.args.size(), 2, 2));
    for (size_t i = 0; i < 2; ++i)
      ARROW_RETURN_NOT_OK(CheckCasts(request, i, arrow::float64(), "\"NUMERIC\""));
    return MakeSignature("regr_count", {request.args[0]->type, request.args[1]->type},
                         arrow::int64(), {arrow::int64()});
  };
  return info;
}

}  // namespace

void AddMomentAggregates(AggregateCatalog* catalog) {
  catalog->Add(MomentInfo("stddev_samp", 1, 3,
                          "The standard deviation of a sample; NULL for less than two values.",
                          "stddev_samp(x) of 1, 2, 3: 1.0"),
               {"stddev", "std"});
  catalog->Add(MomentInfo("stddev_pop", 1, 3, "The standard deviation of a whole population.",
                          "stddev_pop(x) of 1, 2, 3: 0.816496580927726"));
  catalog->Add(
      MomentInfo("var_samp", 1, 3, "The variance of a sample; NULL for less than two values.",
                 "var_samp(x) of 1, 2, 3: 1.0"),
      {"variance"});
  catalog->Add(MomentInfo("var_pop", 1, 3, "The variance of a whole population.",
                          "var_pop(x) of 1, 2, 3: 0.6666666666666666"));
  catalog->Add(MomentInfo("skewness", 1, 4, "How far the values lean to one side of their mean.",
                          "skewness(x) of -10, -20, 100, 1000: 1.1135657469022"));
  catalog->Add(MomentInfo("kurtosis", 1, 5, "How heavy the tails are, 0 for a normal distribution.",
                          "kurtosis(x) of -10, -20, 100, 10: -0.7014368047529"));
  catalog->Add(MomentInfo("covar_pop", 2, 4, "The covariance of a whole population.",
                          "covar_pop(x, y) of (1, 1), (2, 2), (3, 3): 0.6666666666666666"));
  catalog->Add(MomentInfo("covar_samp", 2, 4,
                          "The covariance of a sample; NULL for less than two pairs.",
                          "covar_samp(x, y) of (1, 1), (2, 2), (3, 3): 1.0"));
  catalog->Add(MomentInfo("corr", 2, 6, "Pearson's coefficient of correlation.",
                          "corr(x, y) of (3, 2), (3, 3), (6, 4): 0.8660254037844387"));
  catalog->Add(PairCountInfo());
  catalog->Add(MomentInfo("regr_r2", 2, 6, "The coefficient of determination of the fitted line.",
                          "regr_r2(y, x) of (1, 1), (2, 2): 1.0"));
  catalog->Add(MomentInfo("regr_sxx", 2, 6, "The sum of squared distances of x from its mean.",
                          "regr_sxx(y, x) of (1, 1), (2, 2), (3, 3): 2.0"));
  catalog->Add(MomentInfo("regr_syy", 2, 6, "The sum of squared distances of y from its mean.",
                          "regr_syy(y, x) of (1, 1), (2, 2), (3, 3): 2.0"));
  catalog->Add(MomentInfo("regr_sxy", 2, 6,
                          "The sum of products of the distances of x and y from their means.",
                          "regr_sxy(y, x) of (1, 1), (2, 2), (3, 3): 2.0"));
  catalog->Add(MomentInfo("regr_slope", 2, 6, "The slope of the least-squares line through pairs.",
                          "regr_slope(y, x) of (1, 1), (2, 2), (3, 3): 1.0"));
  catalog->Add(MomentInfo("regr_intercept", 2, 6,
                          "Where the least-squares line through pairs meets x = 0.",
                          "regr_intercept(y, x) of (1, 1), (2, 2), (3, 3): 0.0"));
}

}  // namespace tidemill
