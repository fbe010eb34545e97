#pragma once

#include <arrow/status.h>

#include <string_view>
#include <vector>

#include "common/expr/expr.h"

namespace tidemill::driver {

// Aliases that a select list names behind their place stand at this index and above, by the number
// of the item, until the projections that compute them are built.
inline constexpr int kAliasColumns = 7'000'000;

// The first of these columns, or nullptr.
const Expr* FindAliasIn(const std::vector<ExprPtr>& exprs);

// UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_<sub class>; `where` and `text`: the expression that
// names it.
arrow::Status AliasNotAllowed(const Expr& alias, std::string_view sub_class, std::string_view where,
                              std::string_view text);

// The items whose aliases an expression names, by number.
std::vector<int> AliasesIn(const Expr& expr);

// The items of a select list that others name, by number, one layer for each projection below the
// list: the items of a layer name those of layers before it alone.
std::vector<std::vector<int>> AliasLayers(const std::vector<ExprPtr>& items);

}  // namespace tidemill::driver
