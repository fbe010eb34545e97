#include "driver/plan/optimize/simplify_condition.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "driver/plan/logical/conjuncts.h"

namespace tidemill::driver {

namespace {

using Exprs = std::vector<ExprPtr>;

// The call that is true where one of this name is false, of the same arguments; "" for none.
std::string_view Opposite(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPairs = {
      {{"<", ">="},
       {">", "<="},
       {"<=", ">"},
       {">=", "<"},
       {"isnull", "isnotnull"},
       {"isnotnull", "isnull"}}};
  for (const auto& [one, other] : kPairs) {
    if (one == name) return other;
  }
  return "";
}

arrow::Result<ExprPtr> Both(std::string_view name, ExprPtr a, ExprPtr b) {
  const Span span = a->span;
  return MakeCall(name, {std::move(a), std::move(b)}, span);
}

// The parts that `name` joins.
void Split(std::string_view name, const ExprPtr& expr, Exprs* parts) {
  if (IsCall(*expr, name)) {
    for (const ExprPtr& arg : expr->args) Split(name, arg, parts);
  } else {
    parts->push_back(expr);
  }
}

arrow::Result<ExprPtr> Join(std::string_view name, const Exprs& parts) {
  ExprPtr joined = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(joined, Both(name, std::move(joined), parts[i]));
  }
  return joined;
}

Exprs Without(const Exprs& exprs, const Exprs& others) {
  Exprs left;
  for (const ExprPtr& expr : exprs) {
    if (!Contains(others, *expr)) left.push_back(expr);
  }
  return left;
}

// (a INNER b) OUTER (a INNER c) as a INNER (b OUTER c), where INNER and OUTER are AND and OR.
arrow::Result<ExprPtr> TakeOutCommon(const ExprPtr& expr) {
  const std::string_view outer = expr->name;
  const std::string_view inner = outer == "and" ? "or" : "and";
  Exprs left, right, common;
  Split(inner, expr->args[0], &left);
  Split(inner, expr->args[1], &right);
  for (const ExprPtr& part : left) {
    if (Contains(right, *part) && IsDeterministic(*part)) common.push_back(part);
  }
  if (common.empty()) return expr;
  const Exprs left_only = Without(left, common);
  const Exprs right_only = Without(right, common);
  if (left_only.empty() || right_only.empty()) return Join(inner, common);
  ARROW_ASSIGN_OR_RAISE(ExprPtr a, Join(inner, left_only));
  ARROW_ASSIGN_OR_RAISE(ExprPtr b, Join(inner, right_only));
  ARROW_ASSIGN_OR_RAISE(common.emplace_back(), Both(outer, std::move(a), std::move(b)));
  return Join(inner, common);
}

arrow::Result<ExprPtr> Negate(const ExprPtr& not_call) {
  const Expr& arg = *not_call->args[0];
  if (IsCall(arg, "not")) return arg.args[0];
  if (IsCall(arg, "and") || IsCall(arg, "or")) {
    Exprs negated;
    for (const ExprPtr& part : arg.args) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr inverse, MakeCall("not", {part}, not_call->span));
      ARROW_ASSIGN_OR_RAISE(negated.emplace_back(), SimplifyCondition(inverse));
    }
    return Join(IsCall(arg, "and") ? "or" : "and", negated);
  }
  if (arg.kind != Expr::Kind::kCall || Opposite(arg.name).empty()) return not_call;
  return MakeCall(Opposite(arg.name), arg.args, arg.span);
}

}  // namespace

arrow::Result<ExprPtr> SimplifyCondition(const ExprPtr& condition) {
  const bool is_not = IsCall(*condition, "not");
  const bool is_pair = IsCall(*condition, "and") || IsCall(*condition, "or");
  if (!is_not && !is_pair) return condition;
  Exprs args;
  for (const ExprPtr& arg : condition->args) {
    ARROW_ASSIGN_OR_RAISE(args.emplace_back(), SimplifyCondition(arg));
  }
  ExprPtr simplified = condition;
  if (args != condition->args) {
    ARROW_ASSIGN_OR_RAISE(simplified, MakeCall(condition->name, std::move(args), condition->span));
  }
  if (is_not) return Negate(simplified);
  return simplified->args.size() == 2 ? TakeOutCommon(simplified) : simplified;
}

}  // namespace tidemill::driver
