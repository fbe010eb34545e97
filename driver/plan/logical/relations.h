#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string>
#include <vector>

#include "common/expr/expr.h"
#include "connectors/source.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

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
  // explode, posexplode, inline, or one of these + "_outer"; replicate: the row, as often as the
  // BIGINT argument says
  std::string function;
  std::vector<ExprPtr> args;
  std::vector<int> kept;  // columns of the child, ascending (all of them until pruned)
  std::vector<PlanField> generated;
};

// The rows of all children, which have the same types. Named and qualified as the first one.
struct UnionNode final : LogicalPlan {
  UnionNode() : LogicalPlan(Kind::kUnion) {}
};

// What a query cannot do with a stream: the checks of streaming queries come to it in their order
// and end the plan with `why`, so nothing behind them sees it. Gives the columns of its first
// child.
struct RefusedNode final : LogicalPlan {
  RefusedNode() : LogicalPlan(Kind::kRefused) {}
  arrow::Status why;
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
  int64_t count = 0;   // the highest BIGINT where OFFSET stands alone
  int64_t offset = 0;  // rows that are left out before
};

LogicalPlanPtr MakeOneRow(Span span);
// All columns of the source, qualified with its name.
LogicalPlanPtr MakeRead(connectors::SourceSpec source, Span span);
LogicalPlanPtr MakeRead(connectors::SourceSpec source, std::vector<int> columns, Span span);
LogicalPlanPtr MakeSubqueryAlias(LogicalPlanPtr child, std::string alias, Span span);
LogicalPlanPtr MakeFilter(LogicalPlanPtr child, ExprPtr condition, Span span);
// `fields` name the expressions, one each; their types are the expressions', their event time that
// of the column where the expression is one.
LogicalPlanPtr MakeProject(LogicalPlanPtr child, std::vector<ExprPtr> exprs,
                           std::vector<PlanField> fields, Span span);
LogicalPlanPtr MakeGenerate(LogicalPlanPtr child, std::string function, std::vector<ExprPtr> args,
                            std::vector<int> kept, std::vector<PlanField> generated, Span span);
LogicalPlanPtr MakeSort(LogicalPlanPtr child, std::vector<SortKey> keys, Span span);
LogicalPlanPtr MakeLimit(LogicalPlanPtr child, int64_t count, int64_t offset, Span span);
// Event time is that of the first child's columns.
LogicalPlanPtr MakeUnion(std::vector<LogicalPlanPtr> children, Span span);
LogicalPlanPtr MakeRefused(std::vector<LogicalPlanPtr> children, arrow::Status why, Span span);

}  // namespace tidemill::driver
