#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

// Where the rows begin or end that a window function sees.
struct WindowBound {
  enum class Kind {
    kUnbounded,
    kRows,   // `rows` behind the row, in front of it where negative
    kPeers,  // with the rows that the order does not tell from this one
    kValue,  // where the one key of the order reaches `value`, which is of its type
  };
  Kind kind = Kind::kUnbounded;
  int64_t rows = 0;
  ExprPtr value;
};

// Numbers rows from 0 in the order in which they come, without a window: of bounded queries alone.
inline constexpr std::string_view kRowIdFunction = "monotonically_increasing_id";

struct WindowCall {
  enum class Kind {
    kRanking,     // row_number, rank, ...; `number`: ntile's buckets
    kOffset,      // lag, lead: args are the value and what stands for a missing row, `number` rows
                  // behind the row
    kFrameValue,  // first_value, ...: row `number` of the frame, from 1 or, negative, from its end
    kAggregate,   // `aggregate` over the frame
  };
  Kind kind = Kind::kRanking;
  std::string function;
  int64_t number = 0;
  bool ignore_nulls = false;
  std::vector<ExprPtr> args;
  std::optional<AggregateCall> aggregate;
  WindowBound begin;
  WindowBound end;
  std::shared_ptr<arrow::DataType> type;
  std::string text;  // "rank() OVER (...)"
  Span span;
};

// Functions of the rows around each row, in its partition. Output: the child's columns, then one
// for each call.
struct WindowNode final : LogicalPlan {
  WindowNode() : LogicalPlan(Kind::kWindow) {}
  std::vector<int> partition;  // columns of the child
  std::vector<SortKey> order;
  std::vector<WindowCall> calls;
};

LogicalPlanPtr MakeWindow(LogicalPlanPtr child, std::vector<int> partition,
                          std::vector<SortKey> order, std::vector<WindowCall> calls, Span span);

// Calls `visit` for every expression of the node, which it may replace.
template <class Visit>
void ForEachExpr(std::vector<SortKey>* order, std::vector<WindowCall>* calls, const Visit& visit) {
  for (SortKey& key : *order) visit(&key.expr);
  for (WindowCall& call : *calls) {
    for (ExprPtr& arg : call.args) visit(&arg);
    if (call.aggregate) {
      for (ExprPtr& arg : call.aggregate->args) visit(&arg);
    }
    if (call.begin.value != nullptr) visit(&call.begin.value);
    if (call.end.value != nullptr) visit(&call.end.value);
  }
}

}  // namespace tidemill::driver
