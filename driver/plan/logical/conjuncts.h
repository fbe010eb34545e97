#pragma once

#include <arrow/result.h>

#include <string_view>
#include <vector>

#include "common/expr/expr.h"

namespace tidemill::driver {

bool IsCall(const Expr& expr, std::string_view name);
bool IsEquality(const Expr& expr);  // = or <=>
bool AllDeterministic(const std::vector<ExprPtr>& exprs);
bool Contains(const std::vector<ExprPtr>& exprs, const Expr& wanted);

// Adds the conditions that a condition joins by AND.
void SplitConjuncts(const ExprPtr& condition, std::vector<ExprPtr>* conjuncts);
// All of them by AND; nullptr for none.
arrow::Result<ExprPtr> JoinConjuncts(const std::vector<ExprPtr>& conjuncts);

// Whether the expression reads columns of [begin, end) only, of `width` columns.
bool ReadsOnly(const Expr& expr, int begin, int end, int width);
// The expression over columns that stand `offset` further left.
ExprPtr ShiftColumns(const ExprPtr& expr, int offset);

// Costs nothing to compute twice.
bool IsCheap(const Expr& expr);

}  // namespace tidemill::driver
