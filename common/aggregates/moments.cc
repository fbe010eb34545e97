// Variance and its relatives: statistics of one number, and of pairs.
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

// `columns` DOUBLEs as the accumulator: the number of rows, means, and central moments.
AggregateInfo MomentInfo(const std::string& name, size_t args, size_t columns) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}({})", name, args == 1 ? "expr" : "expr1, expr2");
  if (name.starts_with("regr_")) info.usage = fmt::format("{}(y, x)", name);
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
  AggregateInfo info = MomentInfo("regr_count", 2, 0);
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
  catalog->Add(MomentInfo("stddev_samp", 1, 3), {"stddev", "std"});
  catalog->Add(MomentInfo("stddev_pop", 1, 3));
  catalog->Add(MomentInfo("var_samp", 1, 3), {"variance"});
  catalog->Add(MomentInfo("var_pop", 1, 3));
  catalog->Add(MomentInfo("skewness", 1, 4));
  catalog->Add(MomentInfo("kurtosis", 1, 5));
  catalog->Add(MomentInfo("covar_pop", 2, 4));
  catalog->Add(MomentInfo("covar_samp", 2, 4));
  catalog->Add(MomentInfo("corr", 2, 6));
  catalog->Add(PairCountInfo());
  catalog->Add(MomentInfo("regr_r2", 2, 6));
  catalog->Add(MomentInfo("regr_sxx", 2, 6));
  catalog->Add(MomentInfo("regr_syy", 2, 6));
  catalog->Add(MomentInfo("regr_sxy", 2, 6));
  catalog->Add(MomentInfo("regr_slope", 2, 6));
  catalog->Add(MomentInfo("regr_intercept", 2, 6));
}

}  // namespace tidemill
