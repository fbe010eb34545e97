#include "driver/plan/analyze/analyzer.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <deque>
#include <string>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/query_scope.h"
#include "driver/plan/analyze/relation/inline_table.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/analyze/relation/set_operations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

// Plans are trees: a query of WITH is repeated wherever its name stands, and a chain of them can
// double at each step.
constexpr int kMaxRelations = 10'000;

arrow::Status CheckSize(const LogicalPlanPtr& plan, Span span) {
  int count = 0;
  ForEachNode(plan, [&count](const LogicalPlanPtr& node) { ++count; });
  if (count <= kMaxRelations) return arrow::Status::OK();
  return QueryError("QUERY_TOO_LARGE",
                    fmt::format("query too large: a query of WITH is repeated where its name "
                                "stands: relations={} limit={}",
                                count, kMaxRelations),
                    span);
}

arrow::Result<LogicalPlanPtr> AnalyzeSelect(const sql::Query& query, const QueryScope& scope) {
  const sql::Select& select = *query.select;
  LogicalPlanPtr plan;
  if (select.from != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeRelation(*select.from, scope));
  } else {
    ARROW_ASSIGN_OR_RAISE(plan, OneRow(select.span));
  }
  for (const sql::LateralView& view : select.lateral_views) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeLateralView(view, std::move(plan), scope));
  }
  return AnalyzeSelectList(query, std::move(plan), scope);
}

arrow::Result<LogicalPlanPtr> AnalyzeBody(const sql::Query& query, const QueryScope& scope) {
  if (query.select != nullptr) return AnalyzeSelect(query, scope);
  LogicalPlanPtr plan;
  if (query.values != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeInlineTable(*query.values, scope));
  } else if (query.operands.size() == 1) {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeIn(query.operands.front(), scope));
  } else {
    ARROW_ASSIGN_OR_RAISE(plan, AnalyzeSetOperation(query, scope));
  }
  ARROW_RETURN_NOT_OK(CheckDistribution(query, *plan, /*input=*/nullptr, scope));
  ARROW_ASSIGN_OR_RAISE(plan, ApplyOrderBy(query, std::move(plan), scope));
  return ApplyLimit(query, std::move(plan), scope);
}

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeIn(const sql::Query& query, const QueryScope& scope) {
  std::deque<CommonTableScope> tables;
  QueryScope inner = scope;
  for (const sql::CommonTable& table : query.with) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, AnalyzeIn(*table.query, inner));
    ARROW_ASSIGN_OR_RAISE(plan, RenameColumns(std::move(plan), table.column_aliases, table.span));
    ARROW_RETURN_NOT_OK(CheckSize(plan, table.span));
    tables.push_back({table.name, std::move(plan), inner.common_tables});
    inner.common_tables = &tables.back();
  }
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, AnalyzeBody(query, inner));
  if (!query.with.empty()) ARROW_RETURN_NOT_OK(CheckSize(plan, query.span));
  return plan;
}

arrow::Result<LogicalPlanPtr> Analyze(const sql::Query& query, const AnalyzerContext& context) {
  return AnalyzeIn(query, QueryScope{context});
}

arrow::Result<ExprPtr> RequireBoolean(ExprPtr condition, Span span) {
  if (condition->type->id() == arrow::Type::BOOL) return condition;
  if (condition->type->id() == arrow::Type::NA) {
    return ImplicitCast(std::move(condition), arrow::boolean());
  }
  const std::string text = QuotedSql(ExprText(*condition));
  return QueryError("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
                    fmt::format("Cannot resolve {} due to data type mismatch: Filter expression {} "
                                "of type {} is not a boolean.",
                                text, text, QuotedType(*condition->type)),
                    span);
}

}  // namespace tidemill::driver
