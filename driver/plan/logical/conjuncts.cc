#include "driver/plan/logical/conjuncts.h"

#include <algorithm>
#include <memory>

#include "common/expr/function_registry.h"

namespace tidemill::driver {

bool IsCall(const Expr& expr, std::string_view name) {
  return expr.kind == Expr::Kind::kCall && expr.name == name;
}

bool IsEquality(const Expr& expr) { return IsCall(expr, "=") || IsCall(expr, "<=>"); }

bool AllDeterministic(const std::vector<ExprPtr>& exprs) {
  return std::all_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return IsDeterministic(*expr); });
}

bool Contains(const std::vector<ExprPtr>& exprs, const Expr& wanted) {
  return std::any_of(exprs.begin(), exprs.end(),
                     [&](const ExprPtr& expr) { return ExprEquals(*expr, wanted); });
}

void SplitConjuncts(const ExprPtr& condition, std::vector<ExprPtr>* conjuncts) {
  if (IsCall(*condition, "and")) {
    for (const ExprPtr& arg : condition->args) SplitConjuncts(arg, conjuncts);
  } else {
    conjuncts->push_back(condition);
  }
}

arrow::Result<ExprPtr> JoinConjuncts(const std::vector<ExprPtr>& conjuncts) {
  ExprPtr joined;
  for (const ExprPtr& conjunct : conjuncts) {
    if (joined == nullptr) {
      joined = conjunct;
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(joined, MakeCall("and", {joined, conjunct}, joined->span));
  }
  return joined;
}

bool ReadsOnly(const Expr& expr, int begin, int end, int width) {
  std::vector<bool> used(width);
  CollectColumns(expr, &used);
  for (int i = 0; i < width; ++i) {
    if (used[i] && (i < begin || i >= end)) return false;
  }
  return true;
}

ExprPtr ShiftColumns(const ExprPtr& expr, int offset) {
  if (expr->kind == Expr::Kind::kLiteral || offset == 0) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  if (copy->kind == Expr::Kind::kColumn) copy->column -= offset;
  for (ExprPtr& arg : copy->args) arg = ShiftColumns(arg, offset);
  return copy;
}

bool IsCheap(const Expr& expr) {
  if (expr.kind != Expr::Kind::kCall) return true;
  return expr.name == "get_field" && IsCheap(*expr.args[0]);
}

}  // namespace tidemill::driver
