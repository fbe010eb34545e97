#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/expr/expr.h"

namespace tidemill::driver {

// What makes a column an event time: the watermark above it. Spark's metadata
// spark.watermarkDelayMs. A value (of a struct<start,end> its end) plus `span_us` is late once the
// watermark has reached it; the span is not 0 for a window's start, which stands for the window.
struct EventTime {
  int64_t delay_us = 0;
  int64_t span_us = 0;

  bool operator==(const EventTime&) const = default;
};

// One column of a node's output: the name as the user sees it and the table name or alias that may
// stand before it ("" for none).
struct PlanField {
  std::string qualifier;
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::optional<EventTime> event_time = std::nullopt;
  bool is_hidden = false;  // reached by its qualified name alone: USING has merged it
};

struct LogicalPlan;
using LogicalPlanPtr = std::shared_ptr<const LogicalPlan>;

// A relation of the resolved logical plan; the kinds mirror Spark's. A node's expressions refer to
// the columns of its input by index: those of its child, or of all children side by side where it
// has several (joins). Made by the Make functions below, which work out `output`; rewriting rules
// make new nodes. A new relation is a new kind with a struct of its own. *Immutable.*
struct LogicalPlan {
  enum class Kind {
    kOneRow,
    kRead,
    kSubqueryAlias,
    kFilter,
    kProject,
    kGenerate,
    kUnion,
    kSort,
    kLimit,
    kAggregate,
    kJoin,
    kDeduplicate,
    kWithWatermark,
    kWindow,
    kRefused,
  };

  virtual ~LogicalPlan() = default;

  const LogicalPlan& child() const { return *children.front(); }

  Kind kind = Kind::kOneRow;
  Span span;  // of the clause in the query
  std::vector<LogicalPlanPtr> children;
  std::vector<PlanField> output;

 protected:
  explicit LogicalPlan(Kind kind) : kind(kind) {}
};

// The node as what its kind says it is.
template <class Node>
const Node& As(const LogicalPlan& plan) {
  return static_cast<const Node&>(plan);
}

// Calls `visit` for every node, a parent before its children.
template <class Visit>
void ForEachNode(const LogicalPlanPtr& plan, const Visit& visit) {
  visit(plan);
  for (const LogicalPlanPtr& child : plan->children) ForEachNode(child, visit);
}

// True where the rows of the relation come from at least one streaming source.
bool IsStreaming(const LogicalPlanPtr& plan);
inline int WidthOf(const LogicalPlan& plan) { return static_cast<int>(plan.output.size()); }
// Columns of a node as expressions over it: one, some, all of the fields that it has.
ExprPtr ColumnAt(const LogicalPlan& plan, int column, Span span = {});
std::vector<ExprPtr> ColumnsAt(const LogicalPlan& plan, const std::vector<int>& columns,
                               Span span = {});
std::vector<ExprPtr> ColumnsOf(const std::vector<PlanField>& fields, Span span = {});
// A field as column `column` of whatever it is put into.
ExprPtr ColumnOf(const PlanField& field, int column, Span span = {});
// The columns of `left`, then those of `right`.
std::vector<PlanField> SideBySide(const LogicalPlan& left, const LogicalPlan& right);
std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<PlanField>& fields);

}  // namespace tidemill::driver
