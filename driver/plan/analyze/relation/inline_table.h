#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// VALUES: rows that the plan holds. Errors: INVALID_INLINE_TABLE.*, what evaluating the expressions
// says.
arrow::Result<LogicalPlanPtr> AnalyzeInlineTable(const sql::InlineTable& table,
                                                 const QueryScope& scope);

// SELECT without FROM: one row without columns.
arrow::Result<LogicalPlanPtr> OneRow(Span span);

}  // namespace tidemill::driver
