#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// The rows of `input` grouped by all columns that the pivot does not name, with a column for each
// value and aggregate. Numbers and booleans are aggregated by value first and then put side by
// side, so that a value without rows gives NULL (count too); others by FILTER. Errors:
// NON_LITERAL_PIVOT_VALUES, PIVOT_VALUE_DATA_TYPE_MISMATCH, those of expressions.
arrow::Result<LogicalPlanPtr> AnalyzePivot(const sql::Pivot& pivot, LogicalPlanPtr input,
                                           const QueryScope& scope);

// Each row of `input` once for each of the columns, which become a name and values. Errors:
// UNPIVOT_VALUE_DATA_TYPE_MISMATCH, UNPIVOT_VALUE_SIZE_MISMATCH, UNPIVOT_REQUIRES_ATTRIBUTES.
arrow::Result<LogicalPlanPtr> AnalyzeUnpivot(const sql::Unpivot& unpivot, LogicalPlanPtr input);

}  // namespace tidemill::driver
