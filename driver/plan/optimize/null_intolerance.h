#pragma once

#include <vector>

#include "common/expr/expr.h"

namespace tidemill::driver {

// Adds the columns, and members of structs in columns, whose NULL makes the expression NULL by what
// Catalyst knows (scanNullIntolerantAttribute over Expression.nullIntolerant): it looks through
// functions that it calls intolerant of NULL and no others, whatever these do.
void CollectNullIntolerant(const ExprPtr& expr, std::vector<ExprPtr>* columns);

}  // namespace tidemill::driver
