#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "driver/plan/analyze/event_time/time_windows.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/grouping_sets.h"
#include "driver/plan/analyze/query_scope.h"
#include "driver/plan/analyze/subquery/subquery_joins.h"
#include "driver/plan/analyze/window_binder.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// Builds what a SELECT says above WHERE, from the input up: grouping sets, Aggregate, the joins of
// subqueries, Filter (HAVING), Window, Filter (QUALIFY), Generate, Project, Aggregate (DISTINCT),
// Sort, Limit. Expressions are bound over the input first, with stand-ins for aggregate results and
// the like, and relocated once it is known where those columns are. Aliases that the select list
// itself names are computed in projections below it (Catalyst's ResolveLateralColumnAlias). Private
// to this folder; AnalyzeSelectList uses it. *Thread-compatible.*
class SelectAnalyzer final : public BindHook {
 public:
  // What it is given must outlive this.
  // `star_fields`: the columns of the input but for those of time windows.
  SelectAnalyzer(const sql::Query& query, WindowedInput input, std::vector<PlanField> star_fields,
                 const QueryScope& scope);

  arrow::Result<LogicalPlanPtr> Run();
  bool is_aggregation() const { return is_aggregation_; }

  arrow::Result<ExprPtr> BindWindow(const sql::AstExpr& call, ExprBinder* binder) override;
  arrow::Result<ExprPtr> BindRowId(const sql::AstExpr& call, ExprBinder* binder) override;
  arrow::Result<ExprPtr> BindSubquery(const sql::AstExpr& ast, ExprBinder* binder) override;
  arrow::Result<ExprPtr> BindGrouping(const sql::AstExpr& call, ExprBinder* binder) override;
  arrow::Result<ExprPtr> FindAlias(const sql::AstExpr& name) override;

 private:
  // One column of the select list.
  struct Item {
    ExprPtr expr;
    PlanField field;
    bool has_alias = false;
    bool is_generated = false;
    int height = 1;  // levels of the expression as it is written
  };
  struct OrderKey {
    ExprPtr expr;
    bool is_descending = false;
    bool nulls_first = true;
    Span span;
  };

  // select_binding.cc: expressions over the input
  ExprBinder::Options BindOptions(bool aggregates, const SelectOutputs* outputs = nullptr);
  std::string TextOf(const sql::AstExpr& ast) const;
  arrow::Status RefuseGenerator(const sql::AstExpr& ast, std::string_view clause) const;
  bool IsAggregation() const;
  arrow::Status BindItems();
  arrow::Status CheckHeights() const;
  arrow::Status BindStar(const sql::AstExpr& star);
  arrow::Status BindItem(const sql::SelectItem& item);
  arrow::Status BindGenerator(const sql::SelectItem& item);
  arrow::Status RefuseSecondGenerator(const sql::AstExpr& second) const;
  arrow::Status BindGroupKeys();
  arrow::Result<ExprPtr> BindGroupKey(const sql::AstExpr& ast);
  arrow::Result<int> AddGroupKey(ExprPtr key, Span span);
  arrow::Result<ExprPtr> BindCondition(const sql::AstExpr& ast, bool aggregates,
                                       std::string_view clause);
  arrow::Result<std::vector<OrderKey>> BindOrder(const NameScope& scope,
                                                 const SelectOutputs& outputs, bool aggregates);
  SelectOutputs Outputs(bool with_generated) const;

  // select_analyzer.cc: the plan
  Span AggregateSpan() const;
  arrow::Result<ExprPtr> Relocate(const ExprPtr& expr);
  arrow::Result<ExprPtr> RelocateColumn(const ExprPtr& column);
  arrow::Result<ExprPtr> RelocateAlias(const ExprPtr& column);
  arrow::Status MissingAggregation(const Expr& column) const;
  int SessionKey() const;  // place of the session window among the keys, or -1
  arrow::Result<LogicalPlanPtr> BuildAggregate(LogicalPlanPtr plan);
  arrow::Result<LogicalPlanPtr> BuildFilter(LogicalPlanPtr plan, const ExprPtr& condition,
                                            Span span);
  arrow::Result<LogicalPlanPtr> BuildAliases(LogicalPlanPtr plan);
  arrow::Result<LogicalPlanPtr> BuildBase(const ExprPtr& having, const ExprPtr& qualify);
  arrow::Result<LogicalPlanPtr> BuildOrdered(LogicalPlanPtr base, std::vector<OrderKey> order);
  arrow::Result<LogicalPlanPtr> BuildDistinct(LogicalPlanPtr base);
  LogicalPlanPtr BuildSort(LogicalPlanPtr plan, const std::vector<OrderKey>& order,
                           std::vector<ExprPtr> exprs, std::vector<PlanField> fields) const;

  const sql::Query& query_;
  const sql::Select& select_;
  const LogicalPlanPtr input_;
  const QueryScope& scope_;
  const NameScope names_;       // with the time windows that the query names
  const NameScope star_names_;  // without them
  const std::vector<TimeColumn> time_columns_;
  bool is_aggregation_ = false;
  std::vector<Item> items_;
  std::vector<AggregateCall> calls_;
  std::vector<ExprPtr> keys_;
  GroupingSets sets_;
  std::vector<Generator> generators_;
  bool is_in_select_list_ = false;  // aliases may be named
  SubqueryJoins subqueries_;
  WindowBinder windows_;
  // Where columns are in the plan that BuildBase gives; set as it builds.
  int subquery_base_ = 0;
  int generated_base_ = 0;
  std::vector<int> alias_places_;  // by item; -1 until it is known
  int num_inlined_ = 0;            // aliases that were replaced by their expressions
};

}  // namespace tidemill::driver
