// Aggregates that keep every value, or every different one. Their accumulators are bytes:
// worker/aggregates says which.
#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

bool HasMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  for (const auto& field : type.fields()) {
    if (HasMap(*field->type())) return true;
  }
  return false;
}

AggregateInfo CollectListInfo() {
  AggregateInfo info;
  info.name = "collect_list";
  info.usage = "collect_list(expr)";
  info.bind = [](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount("collect_list", "collect_list(expr)", request.args.size(), 1, 1));
    const TypePtr& type = request.args[0]->type;
    BoundAggregate signature =
        MakeSignature("collect_list", {type}, arrow::list(type), {arrow::binary()});
    AggregateRequest shown = request;
    shown.name = signature.name;  // whichever of its names was used
    signature.text = TextOf(shown);
    return signature;
  };
  return info;
}

AggregateInfo CollectSetInfo() {
  AggregateInfo info;
  info.name = "collect_set";
  info.usage = "collect_set(expr)";
  info.ignores_duplicates = true;
  info.bind = [](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount("collect_set", "collect_set(expr)", request.args.size(), 1, 1));
    const TypePtr& type = request.args[0]->type;
    if (HasMap(*type)) {
      return RefuseCall(TextOf(request), "UNSUPPORTED_INPUT_TYPE",
                        "The input of `collect_set` can't be \"MAP\" or \"COLLATED STRING\" type "
                        "data.");
    }
    return MakeSignature("collect_set", {type}, arrow::list(type),
                         {arrow::binary(), arrow::int64()});
  };
  return info;
}

// " WITHIN GROUP (ORDER BY x DESC NULLS LAST)", or nothing.
std::string OrderText(const AggregateRequest& request) {
  if (request.order.empty()) return "";
  std::string keys;
  for (const AggregateOrder& key : request.order) {
    keys += fmt::format("{}{} {} NULLS {}", keys.empty() ? "" : ", ", ExprText(*key.expr),
                        key.is_descending ? "DESC" : "ASC", key.nulls_first ? "FIRST" : "LAST");
  }
  return fmt::format(" WITHIN GROUP (ORDER BY {})", keys);
}

arrow::Result<BoundAggregate> BindListagg(const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("listagg", "listagg(expr[, delimiter])", request.args.size(), 1, 2));
  TypePtr type = request.args[0]->type;
  if (type->id() != arrow::Type::BINARY) type = arrow::utf8();
  if (!CanCastImplicitly(*request.args[0]->type, *type)) {
    return UnexpectedInput("listagg", request.args, 0, "(\"STRING\" or \"BINARY\")");
  }
  BoundAggregate signature = MakeSignature("listagg", {type}, type, {arrow::binary()});
  if (request.args.size() == 2) {
    signature.arg_types.push_back(type);
    ARROW_ASSIGN_OR_RAISE(auto delimiter, ConstantOf(request.args[1], type));
    if (delimiter == nullptr) {
      return NotConstant(TextOf(request), "delimiter", SqlTypeName(*type), *request.args[1]);
    }
    if (delimiter->is_valid) {
      signature.constants.delimiter =
          static_cast<const arrow::BaseBinaryScalar&>(*delimiter).value->ToString();
    }
  }
  // With an order Spark forgets the alias.
  AggregateRequest shown = request;
  if (!request.order.empty()) shown.name = "listagg";
  signature.text = TextOf(shown, request.args.size() == 1 ? ", NULL" : "") + OrderText(request);
  for (const AggregateOrder& key : request.order) {
    signature.order.push_back(key);
    signature.input_types.push_back(key.expr->type);
  }
  return signature;
}

AggregateInfo ListaggInfo() {
  AggregateInfo info;
  info.name = "listagg";
  info.usage = "listagg(expr[, delimiter]) [WITHIN GROUP (ORDER BY key [ASC | DESC] [,...])]";
  info.order = AggregateInfo::Order::kOptional;
  info.bind = BindListagg;
  return info;
}

}  // namespace

void AddCollectionAggregates(AggregateCatalog* catalog) {
  catalog->Add(CollectListInfo(), {"array_agg"});
  catalog->Add(CollectSetInfo());
  catalog->Add(ListaggInfo(), {"string_agg"});
}

}  // namespace tidemill
