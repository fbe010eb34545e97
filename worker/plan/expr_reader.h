#pragma once

#include <arrow/result.h>

#include "common/expr/expr.h"

namespace tidemill::proto {
class Expr;
}

namespace tidemill::worker {

// Rebuilds an expression from the wire. The driver made and checked it; what does not fit (unknown
// function, wrong arity, deeper than 1000) is ErrorKind::kBug, class PLAN_INVALID.
arrow::Result<ExprPtr> ReadExpr(const proto::Expr& message);

}  // namespace tidemill::worker
