// Percentiles: exact ones over all values, and estimates out of bounded summaries.
#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <limits>
#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

constexpr std::string_view kContinuous =
    "((\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\") or \"TIME\")";
arrow::Status UnexpectedNull(std::string_view call, std::string_view what) {
  return RefuseCall(call, "UNEXPECTED_NULL", fmt::format("The {} must not be null.", what));
}

// Reads which percentiles are wanted: a number or an array of numbers.
arrow::Status ReadFractions(const ExprPtr& arg, std::string_view call, BoundAggregate* signature) {
  AggregateConstants& constants = signature->constants;
  constants.is_list = arg->type->id() == arrow::Type::LIST;
  const TypePtr type = constants.is_list ? arrow::list(arrow::float64()) : arrow::float64();
  if (!CanCastImplicitly(*arg->type, *type)) {
    return RefuseCall(call, "UNEXPECTED_INPUT_TYPE",
                      fmt::format("The second parameter requires the (\"DOUBLE\" or "
                                  "\"ARRAY<DOUBLE>\") type, however \"{}\" has the type \"{}\".",
                                  ExprText(*arg), SqlTypeName(*arg->type)));
  }
  ARROW_ASSIGN_OR_RAISE(auto value, ConstantOf(arg, type));
  if (value == nullptr) return NotConstant(call, "percentage", SqlTypeName(*type), *arg);
  if (!value->is_valid) return UnexpectedNull(call, "percentage");
  if (!constants.is_list) {
    constants.fractions = {static_cast<const arrow::DoubleScalar&>(*value).value};
  } else {
    const auto& list = *static_cast<const arrow::ListScalar&>(*value).value;
    const auto& numbers = static_cast<const arrow::DoubleArray&>(list);
    for (int64_t i = 0; i < numbers.length(); ++i) {
      if (numbers.IsNull(i)) return UnexpectedNull(call, "percentage");
      constants.fractions.push_back(numbers.Value(i));
    }
  }
  for (const double fraction : constants.fractions) {
    if (fraction >= 0 && fraction <= 1) continue;
    return RefuseCall(
        call, "VALUE_OUT_OF_RANGE",
        fmt::format("The percentage must be between [0.0, 1.0] (current value = {}D).", fraction));
  }
  return arrow::Status::OK();
}

TypePtr ListIf(bool is_list, TypePtr type) { return is_list ? arrow::list(type) : type; }

// What exact percentiles see of a value: a number, or an interval as it is. Others cast to DOUBLE.
TypePtr ExactType(const TypePtr& type) {
  if (IsYearMonthInterval(*type)) return type;
  return IsAnsiIntervalType(*type) ? DayTimeIntervalType() : arrow::float64();
}

// The accumulator of exact percentiles is the set of values with their counts.
BoundAggregate ExactSignature(const std::string& name, const TypePtr& type) {
  return MakeSignature(name, {type}, type, {arrow::binary(), arrow::int64()});
}

arrow::Result<BoundAggregate> BindPercentile(const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(CheckArgCount("percentile", "percentile(col, percentage [, frequency])",
                                    request.args.size(), 2, 3));
  const TypePtr type = ExactType(request.args[0]->type);
  ARROW_RETURN_NOT_OK(CheckCasts(request, 0, type, kContinuous));
  BoundAggregate signature = ExactSignature("percentile", type);
  signature.text = TextOf(request, request.args.size() == 2 ? ", 1" : "");
  ARROW_RETURN_NOT_OK(ReadFractions(request.args[1], signature.text, &signature));
  signature.arg_types.push_back(request.args[1]->type);
  signature.type = ListIf(signature.constants.is_list, signature.type);
  if (request.args.size() == 2) return signature;
  const TypePtr& frequency = request.args[2]->type;
  if (!IsIntegralType(*frequency) && !IsStringType(*frequency)) {
    return UnexpectedInput("percentile", request.args, 2, "\"INTEGRAL\"");
  }
  signature.arg_types.push_back(arrow::int64());
  signature.input_args.push_back(2);
  signature.input_types.push_back(arrow::int64());
  return signature;
}

arrow::Result<BoundAggregate> BindMedian(const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(CheckArgCount("median", "median(col)", request.args.size(), 1, 1));
  const TypePtr type = ExactType(request.args[0]->type);
  ARROW_RETURN_NOT_OK(CheckCasts(request, 0, type, kContinuous));
  BoundAggregate signature = ExactSignature("median", type);
  signature.constants.fractions = {0.5};
  return signature;
}

// percentile_cont and percentile_disc: the values are the key of ORDER BY.
arrow::Result<BoundAggregate> BindWithinGroup(const std::string& name,
                                              const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount(name, fmt::format("{}(percentage)", name), request.args.size(), 1, 1));
  const AggregateOrder& key = request.order.front();
  const TypePtr type = ExactType(key.expr->type);
  if (!CanCastImplicitly(*key.expr->type, *type)) {
    const ExprPtr values[] = {key.expr, request.args[0]};
    return UnexpectedInput(name, values, 0, kContinuous);
  }
  BoundAggregate signature = ExactSignature(name, type);
  signature.text = fmt::format("{} WITHIN GROUP (ORDER BY {}{})", TextOf(request),
                               ExprText(*key.expr), key.is_descending ? " DESC" : "");
  ARROW_RETURN_NOT_OK(ReadFractions(
      request.args[0],
      fmt::format("{}({}, {})", name, ExprText(*key.expr), ExprText(*request.args[0])),
      &signature));
  signature.arg_types = {request.args[0]->type};
  signature.input_args.clear();
  signature.order = {key};
  signature.constants.is_descending = key.is_descending;
  signature.type = ListIf(signature.constants.is_list, signature.type);
  return signature;
}

AggregateInfo WithinGroupInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(percentage) WITHIN GROUP (ORDER BY col [ASC | DESC])", name);
  info.order = AggregateInfo::Order::kRequired;
  info.bind = [name](const AggregateRequest& request) { return BindWithinGroup(name, request); };
  return info;
}

// approx_percentile and tdigest_percentile: a percentile and how exact it is to be.
struct EstimateRules {
  std::string name;
  std::string usage;
  std::string size_name;
  int64_t default_size;
  int64_t most;
};

// Reads how exact the estimate is to be.
arrow::Status ReadSize(const EstimateRules& rules, const ExprPtr& arg, BoundAggregate* signature) {
  if (!IsIntegralType(*arg->type) && arg->type->id() != arrow::Type::NA) {
    return RefuseCall(signature->text, "UNEXPECTED_INPUT_TYPE",
                      fmt::format("The third parameter requires the \"INTEGRAL\" type, however "
                                  "\"{}\" has the type \"{}\".",
                                  ExprText(*arg), SqlTypeName(*arg->type)));
  }
  ARROW_ASSIGN_OR_RAISE(auto size, ConstantOf(arg, arrow::int64()));
  if (size == nullptr) return NotConstant(signature->text, rules.size_name, "INT", *arg);
  if (!size->is_valid) return UnexpectedNull(signature->text, rules.size_name);
  signature->constants.size = static_cast<const arrow::Int64Scalar&>(*size).value;
  signature->arg_types.push_back(arg->type);
  if (signature->constants.size > 0 && signature->constants.size <= rules.most) {
    return arrow::Status::OK();
  }
  return RefuseCall(signature->text, "VALUE_OUT_OF_RANGE",
                    fmt::format("The {} must be between (0, {}] (current value = {}L).",
                                rules.size_name, rules.most, signature->constants.size));
}

arrow::Result<BoundAggregate> BindEstimate(const EstimateRules& rules, bool keeps_type,
                                           const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(CheckArgCount(request.name, rules.usage, request.args.size(), 2, 3));
  TypePtr type = request.args[0]->type;
  if (!keeps_type || !IsMeasurable(*type)) {
    type = arrow::float64();
    ARROW_RETURN_NOT_OK(CheckCasts(request, 0, type, kMeasurable));
  }
  BoundAggregate signature = MakeSignature(rules.name, {type}, type, {arrow::binary()});
  const bool has_size = request.args.size() == 3;
  signature.text = TextOf(request, has_size ? "" : fmt::format(", {}", rules.default_size));
  ARROW_RETURN_NOT_OK(ReadFractions(request.args[1], signature.text, &signature));
  signature.arg_types.push_back(request.args[1]->type);
  signature.type = ListIf(signature.constants.is_list, signature.type);
  signature.constants.size = rules.default_size;
  if (has_size) ARROW_RETURN_NOT_OK(ReadSize(rules, request.args[2], &signature));
  return signature;
}

AggregateInfo EstimateInfo(EstimateRules rules, bool keeps_type) {
  AggregateInfo info;
  info.name = rules.name;
  info.usage = rules.usage;
  info.bind = [rules = std::move(rules), keeps_type](const AggregateRequest& request) {
    return BindEstimate(rules, keeps_type, request);
  };
  return info;
}

// Spark's name says the opposite of what was asked for.
std::string ModeText(const Expr& key, bool is_descending) {
  return fmt::format("mode() WITHIN GROUP (ORDER BY {}{})", ExprText(key),
                     is_descending ? "" : " DESC");
}

// The most frequent value; of several the smallest (ORDER BY x DESC: the largest).
arrow::Result<BoundAggregate> BindMode(const AggregateRequest& request) {
  constexpr std::string_view kUsage = "mode(col[, deterministic])";
  const bool is_ordered = !request.order.empty();
  ARROW_RETURN_NOT_OK(
      CheckArgCount("mode", kUsage, request.args.size(), is_ordered ? 0 : 1, is_ordered ? 0 : 2));
  const TypePtr& type = is_ordered ? request.order[0].expr->type : request.args[0]->type;
  BoundAggregate signature = MakeSignature("mode", {type}, type, {arrow::binary(), arrow::int64()});
  if (is_ordered) {
    signature.arg_types.clear();
    signature.input_args.clear();
    signature.order = {request.order[0]};
    signature.constants.is_descending = request.order[0].is_descending;
    signature.text = ModeText(*request.order[0].expr, request.order[0].is_descending);
    return signature;
  }
  if (request.args.size() == 1) return signature;
  const Expr& flag = *request.args[1];
  if (!IsLiteral(flag) || flag.type->id() != arrow::Type::BOOL || !flag.literal->is_valid) {
    return MakeError(
        ErrorKind::kInvalid, "NON_FOLDABLE_ARGUMENT",
        "The function `mode` requires the parameter `deterministic` to be a foldable expression of "
        "the type \"BOOLEAN\", but the actual argument is a non-foldable.");
  }
  signature.arg_types.push_back(arrow::boolean());
  if (static_cast<const arrow::BooleanScalar&>(*flag.literal).value) {
    signature.text = ModeText(*request.args[0], /*is_descending=*/false);
  } else {
    signature.text = TextOf(request, "", /*shown=*/1);
  }
  return signature;
}

}  // namespace

void AddPercentileAggregates(AggregateCatalog* catalog) {
  AggregateInfo percentile;
  percentile.name = "percentile";
  percentile.usage = "percentile(col, percentage [, frequency])";
  percentile.bind = BindPercentile;
  catalog->Add(std::move(percentile));

  AggregateInfo median;
  median.name = "median";
  median.usage = "median(col)";
  median.bind = BindMedian;
  catalog->Add(std::move(median));

  catalog->Add(WithinGroupInfo("percentile_cont"));
  catalog->Add(WithinGroupInfo("percentile_disc"));

  AggregateInfo mode;
  mode.name = "mode";
  mode.usage = "mode(col[, deterministic]), mode() WITHIN GROUP (ORDER BY col [ASC | DESC])";
  mode.order = AggregateInfo::Order::kOptional;
  mode.bind = BindMode;
  catalog->Add(std::move(mode));

  catalog->Add(EstimateInfo({.name = "approx_percentile",
                             .usage = "approx_percentile(col, percentage [, accuracy])",
                             .size_name = "accuracy",
                             .default_size = 10'000,
                             .most = std::numeric_limits<int32_t>::max()},
                            /*keeps_type=*/true),
               {"percentile_approx"});
  catalog->Add(EstimateInfo({.name = "tdigest_percentile",
                             .usage = "tdigest_percentile(col, percentage [, compression])",
                             .size_name = "compression",
                             .default_size = 100,
                             .most = 10'000},
                            /*keeps_type=*/false));
}

}  // namespace tidemill
