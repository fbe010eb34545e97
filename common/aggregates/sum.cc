// count, sum and avg with their try_ forms, count_if, product.
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

TypePtr BoundedDecimal(const arrow::DataType& type, int more_precision, int more_scale) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  return arrow::decimal128(std::min(decimal.precision() + more_precision, 38),
                           std::min(decimal.scale() + more_scale, 38));
}

constexpr std::string_view kSummable = "\"NUMERIC\" or \"ANSI INTERVAL\"";

// The type whose values are added up, or nullptr where the argument is no number.
TypePtr SumArgument(const TypePtr& type) {
  if (IsIntegralType(*type)) return arrow::int64();
  if (IsDecimalType(*type)) return type;
  const bool is_cast = IsFloatingType(*type) || IsStringType(*type) || IsInstantType(*type);
  if (is_cast || type->id() == arrow::Type::NA) {
    return arrow::float64();
  }
  return nullptr;
}

// Intervals add up in their own unit; calendar intervals do not.
bool IsSummableInterval(const arrow::DataType& type) {
  return IsYearMonthInterval(type) || IsDayTimeInterval(type);
}

BoundAggregate BindIntervals(const std::string& name, bool is_try, const TypePtr& type) {
  std::vector<TypePtr> state = {arrow::int64(), arrow::int64()};
  if (is_try) state.push_back(arrow::boolean());
  const bool is_average = name.ends_with("avg");
  const bool is_refined = is_average && IsDayTimeInterval(*type);
  return MakeSignature(name, {type}, is_refined ? DayTimeIntervalType() : type, std::move(state));
}

// The try_ forms keep whether the sum has left its type's range, after which it is NULL for good.
arrow::Result<BoundAggregate> BindSum(const std::string& name, bool is_try,
                                      const AggregateRequest& request) {
  const TypePtr& given = request.args[0]->type;
  if (IsSummableInterval(*given)) return BindIntervals(name, is_try, given);
  const TypePtr argument = SumArgument(request.args[0]->type);
  if (argument == nullptr) return UnexpectedInput(name, request.args, 0, kSummable);
  const TypePtr type = IsDecimalType(*argument) ? BoundedDecimal(*argument, 10, 0) : argument;
  std::vector<TypePtr> state = {type};
  if (is_try) state.push_back(arrow::boolean());
  return MakeSignature(name, {argument}, type, std::move(state));
}

arrow::Result<BoundAggregate> BindAverage(const std::string& name, bool is_try,
                                          const AggregateRequest& request) {
  const TypePtr& given = request.args[0]->type;
  if (IsSummableInterval(*given)) return BindIntervals(name, is_try, given);
  TypePtr argument = SumArgument(request.args[0]->type);
  if (argument == nullptr) return UnexpectedInput(name, request.args, 0, kSummable);
  const bool is_decimal = IsDecimalType(*argument);
  if (!is_decimal) argument = arrow::float64();
  std::vector<TypePtr> state = {is_decimal ? BoundedDecimal(*argument, 10, 0) : argument,
                                arrow::int64()};
  if (is_try) state.push_back(arrow::boolean());
  return MakeSignature(name, {argument}, is_decimal ? BoundedDecimal(*argument, 4, 4) : argument,
                       std::move(state));
}

AggregateInfo SumInfo(const std::string& name, bool is_try) {
  const bool is_average = name.ends_with("avg");
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.bind = [name, usage = info.usage, is_try,
               is_average](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 1, 1));
    return is_average ? BindAverage(name, is_try, request) : BindSum(name, is_try, request);
  };
  return info;
}

// regr_avgx and regr_avgy: the mean of one argument over the rows in which neither is NULL.
AggregateInfo PairAverageInfo(const std::string& name, size_t averaged) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(y, x)", name);
  info.bind = [name, averaged, usage = info.usage](
                  const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 2, 2));
    for (size_t i = 0; i < 2; ++i) {
      ARROW_RETURN_NOT_OK(CheckCasts(request, i, arrow::float64(), "\"NUMERIC\""));
    }
    AggregateRequest one = request;
    one.args = request.args.subspan(averaged, 1);
    ARROW_ASSIGN_OR_RAISE(const BoundAggregate average, BindAverage(name, false, one));
    std::vector<TypePtr> types = {request.args[0]->type, request.args[1]->type};
    types[averaged] = average.arg_types[0];
    return MakeSignature(name, std::move(types), average.type, average.state_types);
  };
  return info;
}

AggregateInfo CountInfo() {
  AggregateInfo info;
  info.name = "count";
  info.usage = "count(*), count(expr[, expr...])";
  info.bind = [](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    if (request.args.empty()) return WrongNumArgs("count", "count(expr[, expr...])", "> 0", 0);
    std::vector<TypePtr> types;
    for (const ExprPtr& arg : request.args) types.push_back(arg->type);
    return MakeSignature("count", std::move(types), arrow::int64(), {arrow::int64()});
  };
  return info;
}

AggregateInfo CountIfInfo() {
  AggregateInfo info;
  info.name = "count_if";
  info.usage = "count_if(condition)";
  info.bind = [](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount("count_if", "count_if(condition)", request.args.size(), 1, 1));
    ARROW_RETURN_NOT_OK(CheckCasts(request, 0, arrow::boolean()));
    return MakeSignature("count_if", {arrow::boolean()}, arrow::int64(), {arrow::int64()});
  };
  return info;
}

AggregateInfo ProductInfo() {
  AggregateInfo info;
  info.name = "product";
  info.usage = "product(expr)";
  info.bind = [](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount("product", "product(expr)", request.args.size(), 1, 1));
    ARROW_RETURN_NOT_OK(CheckCasts(request, 0, arrow::float64()));
    return MakeSignature("product", {arrow::float64()}, arrow::float64(), {arrow::float64()});
  };
  return info;
}

}  // namespace

void AddSumAggregates(AggregateCatalog* catalog) {
  catalog->Add(CountInfo());
  catalog->Add(CountIfInfo());
  catalog->Add(SumInfo("sum", false));
  catalog->Add(SumInfo("try_sum", true));
  catalog->Add(SumInfo("avg", false), {"mean"});
  catalog->Add(SumInfo("try_avg", true));
  catalog->Add(PairAverageInfo("regr_avgx", 1));
  catalog->Add(PairAverageInfo("regr_avgy", 0));
  catalog->Add(ProductInfo());
}

}  // namespace tidemill
