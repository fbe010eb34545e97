#pragma once

#include <arrow/result.h>

#include "common/expr/expr.h"

namespace tidemill::driver {

// A condition in the form that shows most of what each part reads (Catalyst's
// BooleanSimplification): NOT stands below AND and OR, and what both sides of an OR (or of an AND)
// have in common stands in front: (a AND b) OR (a AND c) is a AND (b OR c). Returns the condition
// itself where it is in that form.
arrow::Result<ExprPtr> SimplifyCondition(const ExprPtr& condition);

}  // namespace tidemill::driver
