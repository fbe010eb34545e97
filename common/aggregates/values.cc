// Aggregates that choose one of the values.
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

AggregateInfo ExtremumInfo(const std::string& name, std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.description = std::move(description);
  info.example = std::move(example);
  info.ignores_duplicates = true;
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 1, 1));
    const TypePtr& type = request.args[0]->type;
    ARROW_RETURN_NOT_OK(CheckOrderable(request, *type));
    return MakeSignature(name, {type}, type, {type});
  };
  return info;
}

// The accumulator is a value, which may be NULL, and whether there is one yet.
AggregateInfo PositionInfo(const std::string& name, std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr[, isIgnoreNull])", name);
  info.description = std::move(description);
  info.example = std::move(example);
  info.ignores_duplicates = true;
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 1, 2));
    const TypePtr& type = request.args[0]->type;
    BoundAggregate signature = MakeSignature(name, {type}, type, {type, arrow::boolean()});
    if (request.args.size() == 1) return signature;
    const Expr& flag = *request.args[1];
    if (!IsLiteral(flag) || flag.type->id() != arrow::Type::BOOL || !flag.literal->is_valid) {
      return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                       fmt::format("The second argument in {} should be a boolean literal.", name));
    }
    signature.arg_types.push_back(arrow::boolean());
    signature.constants.ignore_nulls =
        static_cast<const arrow::BooleanScalar&>(*flag.literal).value;
    signature.text = TextOf(request, "", /*shown=*/1);
    return signature;
  };
  return info;
}

// The accumulator is a value and the key that it came with; of equal keys the later row's counts.
AggregateInfo ByKeyInfo(const std::string& name, std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(x, y)", name);
  info.description = std::move(description);
  info.example = std::move(example);
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 2, 2));
    const TypePtr& value = request.args[0]->type;
    const TypePtr& key = request.args[1]->type;
    ARROW_RETURN_NOT_OK(CheckOrderable(request, *key));
    return MakeSignature(name, {value, key}, value, {value, key});
  };
  return info;
}

}  // namespace

void AddValueAggregates(AggregateCatalog* catalog) {
  catalog->Add(ExtremumInfo("min", "The smallest value; NULL where there are none.",
                            "min(x) of 10, -1, 20: -1"));
  catalog->Add(ExtremumInfo("max", "The largest value; NULL where there are none.",
                            "max(x) of 10, -1, 20: 20"));
  catalog->Add(
      PositionInfo("first", "The value of the first row, or of the first one that is not NULL.",
                   "first(x, true) of NULL, 5, 20: 5"),
      {"first_value"});
  catalog->Add(
      PositionInfo("last", "The value of the last row, or of the last one that is not NULL.",
                   "last(x, true) of 5, 20, NULL: 20"),
      {"last_value"});
  catalog->Add(PositionInfo("any_value", "The value of some row; here it is the first one.",
                            "any_value(x) of 10, 5, 20: 10"));
  catalog->Add(ByKeyInfo("max_by", "The value of x in the row in which y is largest.",
                         "max_by(x, y) of ('a', 10), ('b', 50), ('c', 20): b"));
  catalog->Add(ByKeyInfo("min_by", "The value of x in the row in which y is smallest.",
                         "min_by(x, y) of ('a', 10), ('b', 50), ('c', 20): a"));
}

}  // namespace tidemill
