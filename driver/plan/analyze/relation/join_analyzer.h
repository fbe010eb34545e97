#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// `left` JOIN `right`. With USING and NATURAL the columns of the same names come first, once; the
// other side's stay reachable by qualified names. Errors: UNRESOLVED_USING_COLUMN_FOR_JOIN,
// JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE.
arrow::Result<LogicalPlanPtr> AnalyzeJoin(const sql::JoinClause& join, LogicalPlanPtr left,
                                          LogicalPlanPtr right, Span span, const QueryScope& scope);

}  // namespace tidemill::driver
