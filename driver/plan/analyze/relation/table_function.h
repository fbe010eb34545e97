#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// A function in FROM: range, or a generator. Errors: UNRESOLVABLE_TABLE_VALUED_FUNCTION and those
// of the function.
arrow::Result<LogicalPlanPtr> AnalyzeTableFunction(const sql::Relation& relation,
                                                   const QueryScope& scope);

// `left` joined with LATERAL generator(...): the arguments see the columns of `left`. Inner and
// cross joins without a condition, and left joins, which keep rows for which nothing is generated.
arrow::Result<LogicalPlanPtr> AnalyzeLateralFunction(const sql::JoinClause& join,
                                                     const sql::Relation& function,
                                                     LogicalPlanPtr left, const QueryScope& scope);

}  // namespace tidemill::driver
