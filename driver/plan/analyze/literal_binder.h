#pragma once

#include <arrow/result.h>

#include <cstdint>

#include "common/expr/expr.h"
#include "common/types/value_format.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// True for the kinds of expression that BindLiteral takes.
bool IsLiteral(const sql::AstExpr& ast);

// A literal with the type that Spark gives it: 1 INT, 3000000000 BIGINT, 1.50 DECIMAL(3,2), 1e3
// DOUBLE. Errors: INVALID_NUMERIC_LITERAL_RANGE, INVALID_TYPED_LITERAL,
// DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION.
arrow::Result<ExprPtr> BindLiteral(const sql::AstExpr& ast, const TimeZone& zone);

// A BIGINT that the query does not write but its plan needs.
ExprPtr LongLiteral(int64_t value, Span span);

}  // namespace tidemill::driver
