// Aggregates that choose one of the values.
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

AggregateInfo ExtremumInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
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
AggregateInfo PositionInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr[, isIgnoreNull])", name);
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

// The largest number of values that may be asked for.
constexpr int32_t kMostByKey = 100'000;

// Reads how many values are wanted. The accumulator is their rows, encoded.
arrow::Status ReadCount(const AggregateRequest& request, BoundAggregate* signature) {
  const ExprPtr& arg = request.args[2];
  if (!CanCastImplicitly(*arg->type, *arrow::int32())) {
    return UnexpectedInput(request.name, request.args, 2, "\"INT\"");
  }
  ARROW_ASSIGN_OR_RAISE(const auto count, ConstantOf(arg, arrow::int32()));
  if (count == nullptr) {
    return RefuseCall(signature->text, "NON_FOLDABLE_INPUT",
                      fmt::format("the input k should be a foldable int expression; however, got "
                                  "{}.",
                                  ExprText(*arg)));
  }
  const int32_t value = count->is_valid ? static_cast<const arrow::Int32Scalar&>(*count).value : 0;
  if (value < 1 || value > kMostByKey) {
    return RefuseCall(
        signature->text, "VALUE_OUT_OF_RANGE",
        fmt::format("The `k` must be between [1, {}] (current value = {}).", kMostByKey, value));
  }
  signature->constants.size = value;
  signature->arg_types.push_back(arg->type);
  signature->type = arrow::list(signature->type);
  signature->state_types = {arrow::binary(), arrow::int64()};
  return arrow::Status::OK();
}

// The accumulator is a value and the key that it came with; of equal keys the later row's counts.
AggregateInfo ByKeyInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(x, y[, k])", name);
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 2, 3));
    const TypePtr& value = request.args[0]->type;
    const TypePtr& key = request.args[1]->type;
    ARROW_RETURN_NOT_OK(CheckOrderable(request, *key));
    BoundAggregate signature = MakeSignature(name, {value, key}, value, {value, key});
    if (request.args.size() == 2) return signature;
    signature.text = TextOf(request);
    ARROW_RETURN_NOT_OK(ReadCount(request, &signature));
    return signature;
  };
  return info;
}

}  // namespace

void AddValueAggregates(AggregateCatalog* catalog) {
  catalog->Add(ExtremumInfo("min"));
  catalog->Add(ExtremumInfo("max"));
  catalog->Add(PositionInfo("first"), {"first_value"});
  catalog->Add(PositionInfo("last"), {"last_value"});
  catalog->Add(PositionInfo("any_value"));
  catalog->Add(ByKeyInfo("max_by"));
  catalog->Add(ByKeyInfo("min_by"));
}

}  // namespace tidemill
