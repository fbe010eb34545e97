#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// UNION, INTERSECT and EXCEPT, with and without ALL. Columns are widened to common types and have
// the names of the first query. Errors: NUM_COLUMNS_MISMATCH, INCOMPATIBLE_COLUMN_TYPE,
// UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE.
arrow::Result<LogicalPlanPtr> AnalyzeSetOperation(const sql::Query& query, const QueryScope& scope);

}  // namespace tidemill::driver
