#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// `left` joined with a LATERAL query or function, children[1] of `relation`, which may name columns
// of `left`. On a stream its rows must follow from each row alone, or belong to it by conditions of
// its WHERE. Errors: INVALID_LATERAL_JOIN_TYPE, UNSUPPORTED_FEATURE.LATERAL_JOIN_USING,
// INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC, those of subqueries.
arrow::Result<LogicalPlanPtr> AnalyzeLateralJoin(const sql::Relation& relation, LogicalPlanPtr left,
                                                 const QueryScope& scope);

}  // namespace tidemill::driver
