#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/expr/expr.h"

namespace tidemill {

// One key of WITHIN GROUP (ORDER BY ...).
struct AggregateOrder {
  ExprPtr expr;
  bool is_descending = false;
  bool nulls_first = true;
};

// A call of an aggregate function as it is written. count(*) is count with one literal argument.
struct AggregateRequest {
  std::string_view name;
  std::span<const ExprPtr> args;
  std::span<const AggregateOrder> order = {};
  bool is_distinct = false;
};

// What the constant arguments of a call say; each function reads its own.
struct AggregateConstants {
  bool ignore_nulls = false;      // first, last
  std::vector<double> fractions;  // percentiles, in the order of the result
  bool is_list = false;           // percentiles were given as an array, so the result is one
  bool is_descending = false;     // percentile_cont, percentile_disc, mode: ORDER BY x DESC
  int64_t size = 0;               // approx_percentile: accuracy; histogram_numeric: bins;
                                  // max_by, min_by: how many values, 0 for one alone
  double error = 0;               // approx_count_distinct: relative standard deviation;
                                  // count_min_sketch: relative error
  double confidence = 0;          // count_min_sketch
  int32_t seed = 0;               // count_min_sketch
  std::string delimiter;          // listagg
};

// An aggregate function bound to its arguments; its kernels are the worker's (worker/aggregates).
struct BoundAggregate {
  std::string name;                                         // canonical
  std::vector<std::shared_ptr<arrow::DataType>> arg_types;  // arguments are cast to these
  // Types of what is evaluated for every row: arguments that are no constants, then the keys of
  // ORDER BY.
  std::vector<std::shared_ptr<arrow::DataType>> input_types;
  std::vector<int> input_args;  // which arguments these are
  std::vector<AggregateOrder> order;
  std::shared_ptr<arrow::DataType> type;  // of the result
  // The columns of its accumulator, as kept in state and sent by partial aggregation.
  std::vector<std::shared_ptr<arrow::DataType>> state_types;
  AggregateConstants constants;
  // Each tuple of inputs counts once. `state_types` are then those of a set of tuples, and these
  // the accumulator that the function has for the tuples.
  bool is_distinct = false;
  std::vector<std::shared_ptr<arrow::DataType>> inner_state_types;
  std::string text;  // Spark's name of the column: "count(DISTINCT x)"
  Span span;         // of the call, for errors at run time
};

struct AggregateInfo {
  std::string name;   // canonical, lower case
  std::string usage;  // "percentile(col, percentage [, frequency])", for docs and error hints
  // Does not depend on how often a row occurs: DISTINCT changes nothing.
  bool ignores_duplicates = false;
  // What ORDER BY keys the call takes.
  enum class Order { kNone, kOptional, kRequired } order = Order::kNone;
  // Checks the arguments and fills all but `is_distinct`, `inner_state_types` and `span`; `text`
  // only where it is not the call as it is written. Errors are Spark's.
  std::function<arrow::Result<BoundAggregate>(const AggregateRequest& request)> bind;
};

// The aggregate functions that exist; aliases (mean, std, every, ...) find the same entry. Names
// are case-insensitive. nullptr where unknown.
const AggregateInfo* FindAggregate(std::string_view name);
std::vector<std::string> AggregateNames();  // sorted, with aliases
inline bool IsAggregateName(std::string_view name) { return FindAggregate(name) != nullptr; }

// Errors: UNRESOLVED_ROUTINE, WRONG_NUM_ARGS.*, DATATYPE_MISMATCH.*, and those of WITHIN GROUP,
// each with `span`.
arrow::Result<BoundAggregate> ResolveAggregateCall(const AggregateRequest& request, Span span = {});
inline arrow::Result<BoundAggregate> ResolveAggregateCall(std::string_view name,
                                                          std::span<const ExprPtr> args,
                                                          Span span = {}) {
  return ResolveAggregateCall({.name = name, .args = args}, span);
}

}  // namespace tidemill
