#pragma once

#include <arrow/result.h>

#include "common/expr/expr.h"
#include "driver/plan/analyze/query_scope.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// `left` JOIN `right`. With USING and NATURAL the columns of the same names come first, once; the
// other side's stay reachable by qualified names. Errors: UNRESOLVED_USING_COLUMN_FOR_JOIN,
// JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE.
arrow::Result<LogicalPlanPtr> AnalyzeJoin(const sql::JoinClause& join, const LogicalPlanPtr& left,
                                          const LogicalPlanPtr& right, Span span,
                                          const QueryScope& scope);

// A condition of ON, over the columns of both sides. Errors: JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE.
arrow::Result<ExprPtr> BindJoinCondition(const sql::AstExpr& on, const LogicalPlan& left,
                                         const LogicalPlan& right, const QueryScope& scope);

}  // namespace tidemill::driver
