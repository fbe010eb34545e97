#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/aggregates/aggregate_registry.h"
#include "common/expr/type_coercion.h"

namespace tidemill {

// The aggregate functions by name, aliases included. Filled once by the Add...Aggregates of each
// file of this folder, then read only. *Thread-compatible.*
class AggregateCatalog {
 public:
  void Add(AggregateInfo info, std::initializer_list<std::string_view> aliases = {});
  const AggregateInfo* Find(const std::string& lower_name) const;
  std::vector<std::string> Names() const;

 private:
  std::map<std::string, std::shared_ptr<const AggregateInfo>> by_name_;
};

void AddBitAggregates(AggregateCatalog* catalog);
void AddCollectionAggregates(AggregateCatalog* catalog);
void AddMomentAggregates(AggregateCatalog* catalog);
void AddPercentileAggregates(AggregateCatalog* catalog);
void AddSketchAggregates(AggregateCatalog* catalog);
void AddSumAggregates(AggregateCatalog* catalog);
void AddValueAggregates(AggregateCatalog* catalog);

// The signature of a function without constant arguments: every argument is an input.
BoundAggregate MakeSignature(std::string name, std::vector<TypePtr> arg_types, TypePtr type,
                             std::vector<TypePtr> state_types);
// The call as it is written, with `more` behind the first `shown` arguments (all of them unless
// given): Spark's name of the column.
std::string TextOf(const AggregateRequest& request, std::string_view more = "", int shown = -1);
// Checks that the argument casts implicitly to `type`; `wanted` is Spark's text of what it takes,
// SQL's name of the type unless given. Errors: DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Status CheckCasts(const AggregateRequest& request, size_t argument, const TypePtr& type,
                         std::string_view wanted = "");
// DATATYPE_MISMATCH.<subclass>: Cannot resolve the call due to data type mismatch: <reason>.
arrow::Status RefuseCall(std::string_view call, std::string_view subclass, std::string_view reason);
// Errors: DATATYPE_MISMATCH.INVALID_ORDERING_TYPE.
arrow::Status CheckOrderable(const AggregateRequest& request, const arrow::DataType& type);
bool IsOrderable(const arrow::DataType& type);
// Types whose values sketches see as numbers, and Spark's text of them.
bool IsMeasurable(const arrow::DataType& type);
inline constexpr std::string_view kMeasurable =
    "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" "
    "or \"INTERVAL DAY TO SECOND\" or \"TIME\")";

// The value of a constant argument, cast to `type`; a NULL scalar where it is NULL, nullptr where
// it is no constant.
arrow::Result<std::shared_ptr<arrow::Scalar>> ConstantOf(const ExprPtr& arg, const TypePtr& type);
arrow::Status NotConstant(std::string_view call, std::string_view what, std::string_view type,
                          const Expr& arg);

}  // namespace tidemill
