#pragma once

#include <arrow/result.h>

#include <string>
#include <vector>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// What FROM names: tables, queries, functions and joins of them. Errors: TABLE_OR_VIEW_NOT_FOUND,
// SOURCE_NOT_STREAMING, and those of the parts.
arrow::Result<LogicalPlanPtr> AnalyzeRelation(const sql::Relation& relation,
                                              const QueryScope& scope);

arrow::Result<LogicalPlanPtr> AnalyzeLateralView(const sql::LateralView& view, LogicalPlanPtr input,
                                                 const QueryScope& scope);

// t(a, b): other names for all columns; no names keep the plan as it is. Errors:
// ASSIGNMENT_ARITY_MISMATCH and the like for another number of names than columns.
arrow::Result<LogicalPlanPtr> RenameColumns(LogicalPlanPtr plan,
                                            const std::vector<std::string>& names, Span span);

// Leaves out what only a qualified name can reach: columns that USING merged.
LogicalPlanPtr DropHiddenColumns(LogicalPlanPtr plan, Span span);

}  // namespace tidemill::driver
