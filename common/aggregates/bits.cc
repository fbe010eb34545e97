// Aggregates over bits and truth values.
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

AggregateInfo BitInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.ignores_duplicates = name != "bit_xor";
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 1, 1));
    TypePtr type = request.args[0]->type;
    if (type->id() == arrow::Type::NA) type = arrow::int32();
    if (!IsIntegralType(*type)) return UnexpectedInput(name, request.args, 0, "\"INTEGRAL\"");
    return MakeSignature(name, {type}, type, {type});
  };
  return info;
}

AggregateInfo BoolInfo(const std::string& name) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.ignores_duplicates = true;
  info.bind =
      [name, usage = info.usage](const AggregateRequest& request) -> arrow::Result<BoundAggregate> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, request.args.size(), 1, 1));
    ARROW_RETURN_NOT_OK(CheckCasts(request, 0, arrow::boolean()));
    return MakeSignature(name, {arrow::boolean()}, arrow::boolean(), {arrow::boolean()});
  };
  return info;
}

}  // namespace

void AddBitAggregates(AggregateCatalog* catalog) {
  catalog->Add(BitInfo("bit_and"));
  catalog->Add(BitInfo("bit_or"));
  catalog->Add(BitInfo("bit_xor"));
  catalog->Add(BoolInfo("bool_and"), {"every"});
  catalog->Add(BoolInfo("bool_or"), {"any", "some"});
}

}  // namespace tidemill
