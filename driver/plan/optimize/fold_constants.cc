#include "driver/plan/optimize/fold_constants.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "common/expr/evaluator.h"
#include "common/types/interval/interval.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

// Their value belongs to the epoch, not to the plan.
constexpr std::array<std::string_view, 6> kEpochFunctions = {
    "current_timestamp", "now", "current_date", "curdate", "localtimestamp", "unix_timestamp"};

bool IsEpochFunction(std::string_view name) {
  return std::find(kEpochFunctions.begin(), kEpochFunctions.end(), name) != kEpochFunctions.end();
}

// named_struct('a', x).a is x.
ExprPtr FieldOfStruct(const Expr& expr) {
  if (expr.name != "get_field" || expr.args[0]->kind != Expr::Kind::kCall ||
      expr.args[0]->name != "named_struct") {
    return nullptr;
  }
  const std::vector<ExprPtr>& members = expr.args[0]->args;
  for (size_t i = 0; i + 1 < members.size(); i += 2) {
    if (ExprEquals(*members[i], *expr.args[1])) return members[i + 1];
  }
  return nullptr;
}

// Whether the plan can hold a value of the type; others it writes as calls.
bool HasLiteralForm(const arrow::DataType& type) {
  return type.num_fields() == 0 && !IsCalendarInterval(type);
}

ExprPtr Fold(const ExprPtr& expr, const EvalContext& context) {
  if (expr->kind != Expr::Kind::kCall) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = Fold(arg, context);
  if (copy->args.size() == 2 && (copy->name == "and" || copy->name == "or")) {
    const bool is_and = copy->name == "and";
    for (size_t i = 0; i < 2; ++i) {
      if (IsBooleanLiteral(*copy->args[i], is_and)) return copy->args[1 - i];
    }
    if (IsBooleanLiteral(*copy->args[0], !is_and)) return copy->args[0];
  }
  if (const ExprPtr field = FieldOfStruct(*copy)) return field;
  const bool is_constant =
      !copy->args.empty() && HasLiteralForm(*copy->type) && IsDeterministic(*copy) &&
      !IsEpochFunction(copy->name) &&
      std::all_of(copy->args.begin(), copy->args.end(),
                  [](const ExprPtr& arg) { return arg->kind == Expr::Kind::kLiteral; });
  if (!is_constant) return copy;
  const ExprPtr folded = FoldConstant(copy, context);
  const bool is_literal = folded != nullptr && folded->kind == Expr::Kind::kLiteral &&
                          folded->type->Equals(*copy->type);
  return is_literal ? MakeLiteral(folded->literal, copy->span) : copy;
}

}  // namespace

LogicalPlanPtr FoldConstants(const LogicalPlanPtr& plan, const EvalContext& context) {
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    children.push_back(FoldConstants(child, context));
  }
  return Rebuild(*plan, std::move(children),
                 [&](const ExprPtr& expr) { return Fold(expr, context); });
}

bool ReadsEpochTime(const Expr& expr) {
  if (expr.kind == Expr::Kind::kCall && IsEpochFunction(expr.name)) return true;
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return ReadsEpochTime(*arg); });
}

bool IsBooleanLiteral(const Expr& expr, bool value) {
  return expr.kind == Expr::Kind::kLiteral && expr.type->id() == arrow::Type::BOOL &&
         expr.literal->is_valid &&
         static_cast<const arrow::BooleanScalar&>(*expr.literal).value == value;
}

}  // namespace tidemill::driver
