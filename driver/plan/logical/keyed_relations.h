#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/aggregates/aggregate_registry.h"
#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

struct AggregateCall {
  BoundAggregate signature;
  // The arguments, cast to signature.arg_types; then the keys of WITHIN GROUP (ORDER BY ...), of
  // which signature.order knows the directions; then the condition of FILTER.
  std::vector<ExprPtr> args;
  bool is_distinct = false;
  bool has_filter = false;
  std::string text;  // "count(1)"
  Span span;
};

// Output: the keys, then one column for each call. Without keys there is one group, which gives a
// row even when there is no input.
struct AggregateNode final : LogicalPlan {
  AggregateNode() : LogicalPlan(Kind::kAggregate) {}
  std::vector<ExprPtr> keys;
  std::vector<AggregateCall> calls;
  std::vector<std::optional<EventTime>> event_times;  // by key
  // The key that is a session_window: struct<start,end> of one row, merged where sessions of the
  // other keys touch. -1 for none.
  int session_key = -1;
};

enum class JoinType { kInner, kLeft, kRight, kFull, kLeftSemi, kLeftAnti };

// Pairs of rows that meet the condition over the columns of both children side by side; outer joins
// keep rows without a partner. Output: both children's columns, of semi and anti joins the left's.
struct JoinNode final : LogicalPlan {
  JoinNode() : LogicalPlan(Kind::kJoin) {}
  const LogicalPlan& left() const { return *children[0]; }
  const LogicalPlan& right() const { return *children[1]; }

  JoinType type = JoinType::kInner;
  ExprPtr condition;  // BOOLEAN, or nullptr: all pairs
  // Stands for a subquery in a condition: a semi or anti join that is one of a WHERE's conditions,
  // or a left join that gives each left row once, with the subquery's value.
  bool is_subquery = false;
};

// The first row of each key in the order of arrival.
struct DeduplicateNode final : LogicalPlan {
  DeduplicateNode() : LogicalPlan(Kind::kDeduplicate) {}
  std::vector<int> columns;  // that make the key
  // Forgets a key once the watermark is `delay` past its first row, whatever the key's columns are.
  bool within_watermark = false;
};

// Says that column `column` is the event time of the rows, which come at most `delay_us` late. Gone
// over bounded input.
struct WithWatermarkNode final : LogicalPlan {
  WithWatermarkNode() : LogicalPlan(Kind::kWithWatermark) {}
  int column = 0;  // TIMESTAMP or TIMESTAMP_NTZ, or a window
  int64_t delay_us = 0;
  // Names what defines it. A relation that stands in a query twice has one watermark, the newest of
  // both places (Catalyst's EventTimeWatermark.nodeId).
  std::string definition;
};

// Event times are those of the keys that are columns.
LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls, Span span);
LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls,
                             std::vector<std::optional<EventTime>> event_times, Span span);
// The aggregation with a session window among its keys; itself for -1.
LogicalPlanPtr WithSessionKey(LogicalPlanPtr aggregate, int session_key);
LogicalPlanPtr MakeJoin(LogicalPlanPtr left, LogicalPlanPtr right, JoinType type, ExprPtr condition,
                        Span span);
LogicalPlanPtr AsSubquery(LogicalPlanPtr join);  // The join with is_subquery.
LogicalPlanPtr MakeDeduplicate(LogicalPlanPtr child, std::vector<int> columns,
                               bool within_watermark, Span span);
LogicalPlanPtr MakeWithWatermark(LogicalPlanPtr child, int column, int64_t delay_us,
                                 std::string definition, Span span);

bool IsOuterSide(JoinType type, bool is_left);  // rows of this side stay without a partner

// The first column with an event time, or -1.
int EventTimeColumn(const std::vector<PlanField>& fields);

}  // namespace tidemill::driver
