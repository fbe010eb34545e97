#pragma once

#include <arrow/result.h>

#include <string_view>

#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// ORDER BY over the columns of a query that is more than one SELECT. Errors: those of expressions,
// ORDER_BY_POS_OUT_OF_RANGE, DATATYPE_MISMATCH.INVALID_ORDERING_TYPE.
arrow::Result<LogicalPlanPtr> ApplyOrderBy(const sql::Query& query, LogicalPlanPtr plan,
                                           const QueryScope& scope);
// DISTRIBUTE BY and the hints of a SELECT over the columns of its result (DISTRIBUTE BY also those
// of `input`, if any): they say where rows are computed, which nothing shows. Errors: those of
// names; UNSUPPORTED_EXPR_FOR_OPERATOR.
arrow::Status CheckDistribution(const sql::Query& query, const LogicalPlan& plan,
                                const NameScope* input, const QueryScope& scope);
// LIMIT and OFFSET. Errors: INVALID_LIMIT_LIKE_EXPRESSION.
arrow::Result<LogicalPlanPtr> ApplyLimit(const sql::Query& query, LogicalPlanPtr plan,
                                         const QueryScope& scope);

// A key of ORDER BY must be comparable. Errors: DATATYPE_MISMATCH.INVALID_ORDERING_TYPE.
arrow::Status CheckOrderable(const Expr& key, Span span);
bool HasMap(const arrow::DataType& type);
// The position that an ordinal ("ORDER BY 2") means, from 0, or -1 where the expression is none.
// Errors: `error_class`, out of range.
arrow::Result<int> OrdinalOf(const sql::AstExpr& ast, size_t num_columns, std::string_view clause);

}  // namespace tidemill::driver
