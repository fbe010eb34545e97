#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// Rows of `input` that meet a WHERE condition; the columns stay. EXISTS and IN with a subquery that
// the condition joins by AND become semi and anti joins, other subqueries left joins. Errors:
// INVALID_WHERE_CONDITION, DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN and those of expressions.
arrow::Result<LogicalPlanPtr> AnalyzeWhere(const sql::AstExpr& where, LogicalPlanPtr input,
                                           const QueryScope& scope);

}  // namespace tidemill::driver
