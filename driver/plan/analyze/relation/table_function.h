#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// A function in FROM: range, or a generator. Errors: UNRESOLVABLE_TABLE_VALUED_FUNCTION and those
// of the function.
arrow::Result<LogicalPlanPtr> AnalyzeTableFunction(const sql::Relation& relation,
                                                   const QueryScope& scope);

// Whether a join is LEFT JOIN LATERAL explode(...) or the like, without a condition. It is
// explode_outer(...) for every row: where nothing is generated the row is kept.
bool IsOuterGenerator(const sql::Relation& relation);
arrow::Result<LogicalPlanPtr> AnalyzeOuterGenerator(const sql::Relation& function,
                                                    LogicalPlanPtr left, const QueryScope& scope);

}  // namespace tidemill::driver
