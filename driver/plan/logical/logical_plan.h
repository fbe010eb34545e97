#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/expr/expr.h"
#include "common/expr/function_registry.h"
#include "connectors/source.h"

namespace tidemill::driver {

// One column of a node's output: the name as the user sees it and the table name or alias that may
// stand before it ("" for none).
struct PlanField {
  std::string qualifier;
  std::string name;
  std::shared_ptr<arrow::DataType> type;
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
    kAggregate,
    kSort,
    kLimit,
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

// SELECT without FROM: one row without columns.
struct OneRowNode final : LogicalPlan {
  OneRowNode() : LogicalPlan(Kind::kOneRow) {}
};

// A source; `columns` are indices into source.schema, ascending, that the query reads (all of them
// until the optimizer prunes).
struct ReadNode final : LogicalPlan {
  ReadNode() : LogicalPlan(Kind::kRead) {}
  connectors::SourceSpec source;
  std::vector<int> columns;
};

// Gives its child's columns another qualifier. Gone after optimization.
struct SubqueryAliasNode final : LogicalPlan {
  SubqueryAliasNode() : LogicalPlan(Kind::kSubqueryAlias) {}
  std::string alias;
};

struct FilterNode final : LogicalPlan {
  FilterNode() : LogicalPlan(Kind::kFilter) {}
  ExprPtr condition;  // BOOLEAN
};

struct ProjectNode final : LogicalPlan {
  ProjectNode() : LogicalPlan(Kind::kProject) {}
  std::vector<ExprPtr> exprs;
};

// Rows times the elements of a collection. Output: the kept child columns, then the generated ones.
struct GenerateNode final : LogicalPlan {
  GenerateNode() : LogicalPlan(Kind::kGenerate) {}
  std::string function;  // explode, posexplode, inline, or one of these + "_outer"
  std::vector<ExprPtr> args;
  std::vector<int> kept;  // columns of the child, ascending (all of them until pruned)
  std::vector<PlanField> generated;
};

struct AggregateCall {
  AggregateSignature signature;
  std::vector<ExprPtr> args;  // cast to signature.arg_types
  bool is_distinct = false;
  std::string text;  // "count(1)"
  Span span;
};

// Output: the keys, then one column for each call. Without keys there is one group, which gives a
// row even when there is no input.
struct AggregateNode final : LogicalPlan {
  AggregateNode() : LogicalPlan(Kind::kAggregate) {}
  std::vector<ExprPtr> keys;
  std::vector<AggregateCall> calls;
};

struct SortKey {
  ExprPtr expr;
  bool is_descending = false;
  bool nulls_first = true;
};

struct SortNode final : LogicalPlan {
  SortNode() : LogicalPlan(Kind::kSort) {}
  std::vector<SortKey> keys;
};

struct LimitNode final : LogicalPlan {
  LimitNode() : LogicalPlan(Kind::kLimit) {}
  int64_t count = 0;
};

LogicalPlanPtr MakeOneRow(Span span);
// All columns of the source, qualified with its name.
LogicalPlanPtr MakeRead(connectors::SourceSpec source, Span span);
LogicalPlanPtr MakeRead(connectors::SourceSpec source, std::vector<int> columns, Span span);
LogicalPlanPtr MakeSubqueryAlias(LogicalPlanPtr child, std::string alias, Span span);
LogicalPlanPtr MakeFilter(LogicalPlanPtr child, ExprPtr condition, Span span);
// `fields` name the expressions, one each; their types are the expressions'.
LogicalPlanPtr MakeProject(LogicalPlanPtr child, std::vector<ExprPtr> exprs,
                           std::vector<PlanField> fields, Span span);
LogicalPlanPtr MakeGenerate(LogicalPlanPtr child, std::string function, std::vector<ExprPtr> args,
                            std::vector<int> kept, std::vector<PlanField> generated, Span span);
LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls, Span span);
LogicalPlanPtr MakeSort(LogicalPlanPtr child, std::vector<SortKey> keys, Span span);
LogicalPlanPtr MakeLimit(LogicalPlanPtr child, int64_t count, Span span);

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
std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<PlanField>& fields);

}  // namespace tidemill::driver
