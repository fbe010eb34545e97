#pragma once

#include <arrow/result.h>

#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// A subquery that does not see the query around it any more.
struct Decorrelated {
  LogicalPlanPtr plan;  // the subquery's columns, then those that the conditions need
  // Conditions on which a row of `plan` belongs to a row of the query around: over the columns of
  // `plan`, and those of the query around at kOuterColumns and above.
  std::vector<ExprPtr> conditions;
  // What columns are where no row belongs to a row of the query around but the subquery, an
  // aggregation without groups, gives one all the same; nullptr: NULL. Empty where it gives none.
  std::vector<ExprPtr> empty_values;
  size_t width = 0;            // how many columns of `plan` are the subquery's
  bool gives_one_row = false;  // at most one for each row of the query around; AnalyzeSubquery
  // Where it was evaluated for the different rows of some columns of the query around (apply.h):
  // the node of `plan` that stands for these rows, and the columns by number. Else nullptr.
  LogicalPlanPtr domain;
  std::vector<int> outer_columns;
};

// Moves conditions that name columns of the query around out of the subquery, as far up as its top.
// An aggregation on the way becomes one by the subquery's side of these conditions, which must be
// equalities then. Errors: UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY for other places of such names.
arrow::Result<Decorrelated> Decorrelate(const LogicalPlanPtr& plan);

bool HasOuterColumns(const Expr& expr);

// A condition over the subquery and the query around, over both side by side.
ExprPtr OverBothSides(const ExprPtr& condition, int outer_width);

// What a call gives over no rows, or nullptr for NULL.
arrow::Result<ExprPtr> EmptyValue(const AggregateCall& call);

// A condition `inner` = `outer` or `inner` <=> `outer`, of sides over the subquery and over the
// query around; nullptr for any other.
struct CorrelatedEquality {
  ExprPtr inner;
  ExprPtr outer;  // over kOuterColumns and above
  bool is_null_safe = false;
};
CorrelatedEquality EqualityOf(const Expr& condition);

}  // namespace tidemill::driver
