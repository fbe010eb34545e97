#pragma once

#include <arrow/result.h>

#include <functional>
#include <string>
#include <vector>

#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/query_scope.h"
#include "driver/plan/analyze/subquery/decorrelation.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// Columns of the queries that subqueries became stand at this index and above until they are
// joined.
inline constexpr int kSubqueryColumns = 6'000'000;

// The subqueries in the expressions over one relation. Each becomes a left join with as many rows
// as the relation has: with one row, or with one for each key of the correlation. Add gives the
// expression that stands for the value; once all are added, Join joins them. *Thread-compatible.*
class SubqueryJoins {
 public:
  // `names`: the columns of the relation, which subqueries may name. Both must outlive this.
  SubqueryJoins(const NameScope& names, const QueryScope& scope) : names_(names), scope_(scope) {}

  // (query), EXISTS (query), x [NOT] IN (query) as a value, over the relation's columns and
  // kSubqueryColumns. Errors: INVALID_SUBQUERY_EXPRESSION.*,
  // UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.*, DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH.
  arrow::Result<ExprPtr> Add(const sql::AstExpr& ast, ExprBinder* binder);

  bool empty() const { return joins_.empty(); }
  // The relation (`plan`, whose columns `relocate` finds) with all of them joined on the right, in
  // order: column kSubqueryColumns + i becomes plan's width + i.
  arrow::Result<LogicalPlanPtr> Join(
      LogicalPlanPtr plan,
      const std::function<arrow::Result<ExprPtr>(const ExprPtr&)>& relocate) const;

 private:
  struct PendingJoin {
    LogicalPlanPtr right;
    std::vector<CorrelatedEquality> keys;  // `outer` over the relation, `inner` over `right`
    Span span;
    // As of Decorrelated.
    LogicalPlanPtr domain;
    std::vector<int> outer_columns;
    // A join from the start in Spark too, not a part of a condition until filters are in place.
    bool is_correlated_scalar = false;
  };

  // Spark's text of [NOT] IN with the subquery added last.
  std::string InText(const Expr& left, bool is_negated) const;
  arrow::Result<ExprPtr> AddScalar(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> AddExists(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> AddIn(const sql::AstExpr& ast, bool is_negated, ExprBinder* binder);
  std::vector<CorrelatedEquality> Equalities(const Decorrelated& query);
  void AddJoin(PendingJoin join);
  arrow::Result<LogicalPlanPtr> RightSide(
      const PendingJoin& join, const LogicalPlanPtr& base,
      const std::function<arrow::Result<ExprPtr>(const ExprPtr&)>& relocate) const;
  ExprPtr Column(int column, Span span) const;  // of the join added last

  const NameScope& names_;
  const QueryScope& scope_;
  std::vector<PendingJoin> joins_;
  std::string last_outer_names_;  // the columns of the relation that the last one names
  int width_ = 0;                 // columns of all joins
  int last_begin_ = 0;            // first column of the last one
};

// What those who join a subquery can do with it.
struct SubqueryForm {
  bool equalities_only = false;  // its conditions are such that EqualityOf takes
  bool no_empty_values = false;  // it has all its rows, also those of groups without rows
};

// The visible columns of a query that is evaluated inside another one. Errors:
// INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY.
arrow::Result<LogicalPlanPtr> WithoutStreams(LogicalPlanPtr plan, Span span);
// A query inside an expression, over the columns of `names`.
arrow::Result<Decorrelated> AnalyzeSubquery(const sql::Query& query, const NameScope& names,
                                            const QueryScope& scope, SubqueryForm form);
// The number of columns that IN compares. Errors: IN_SUBQUERY_LENGTH_MISMATCH.
arrow::Status CheckInWidth(const sql::AstExpr& ast, const std::vector<ExprPtr>& left,
                           size_t num_columns);
// Columns of the query around (kOuterColumns and above) by their own indices.
ExprPtr FromOuter(const ExprPtr& expr);

}  // namespace tidemill::driver
