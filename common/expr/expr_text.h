#pragma once

#include <string>
#include <string_view>

#include "common/expr/expr.h"

namespace tidemill {

// The name that Spark shows for a function that a query calls by `name` (lower case): most stay as
// they are, some are shown in capitals, some by the name of what they stand for.
std::string ShownName(std::string_view name);

// The text of a call whose function the query calls `name` (lower case), another name of
// `call.name`.
std::string TextAs(const Expr& call, std::string_view name);

}  // namespace tidemill
