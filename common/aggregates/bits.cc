// Aggregates over bits and truth values.
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

AggregateInfo BitInfo(const std::string& name, std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.description = std::move(description);
  info.example = std::move(example);
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

AggregateInfo BoolInfo(const std::string& name, std::string description, std::string example) {
  AggregateInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.description = std::move(description);
  info.example = std::move(example);
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
  catalog->Add(BitInfo("bit_and", "The bits that are set in all values.", "bit_and(x) of 3, 5: 1"));
  catalog->Add(BitInfo("bit_or", "The bits that are set in any value.", "bit_or(x) of 3, 5: 7"));
  catalog->Add(BitInfo("bit_xor", "The bits that are set in an odd number of values.",
                       "bit_xor(x) of 3, 5: 6"));
  catalog->Add(BoolInfo("bool_and", "Whether all values are true; NULL values do not count.",
                        "bool_and(x) of NULL, true, true: true"),
               {"every"});
  catalog->Add(BoolInfo("bool_or", "Whether any value is true; NULL values do not count.",
                        "bool_or(x) of NULL, false, true: true"),
               {"any", "some"});
}

}  // namespace tidemill
