#include "driver/plan/optimize/infer_filters.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/constraints.h"
#include "driver/plan/optimize/null_intolerance.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

void AddAll(const Constraints& more, Constraints* constraints) {
  for (const ExprPtr& constraint : more) AddConstraint(constraint, constraints);
}

arrow::Result<LogicalPlanPtr> InferForFilter(const LogicalPlanPtr& plan) {
  Exprs conjuncts;
  SplitConjuncts(As<FilterNode>(*plan).condition, &conjuncts);
  ARROW_ASSIGN_OR_RAISE(const Constraints all, ConstraintsOf(*plan));
  ARROW_ASSIGN_OR_RAISE(const Constraints below, ConstraintsOf(plan->child()));
  Exprs together;
  for (const ExprPtr& constraint : all) {
    if (!Contains(below, *constraint) && !Contains(conjuncts, *constraint)) {
      together.push_back(constraint);
    }
  }
  if (together.empty()) return plan;
  together.insert(together.end(), conjuncts.begin(), conjuncts.end());
  return FilterBy(plan->children[0], together, plan->span);
}

bool ReadsColumns(const Expr& expr) {
  std::vector<bool> used;
  CollectColumns(expr, &used);
  return std::find(used.begin(), used.end(), true) != used.end();
}

// A side, at columns [begin, end) of `width`, with what the constraints of both say of it.
arrow::Result<LogicalPlanPtr> InferForSide(const JoinNode& join, bool is_left,
                                           const Constraints& constraints) {
  const LogicalPlanPtr& side = join.children[is_left ? 0 : 1];
  const auto left = static_cast<int>(join.left().output.size());
  const auto width = left + static_cast<int>(join.right().output.size());
  const int begin = is_left ? 0 : left;
  const int end = is_left ? left : width;
  ARROW_ASSIGN_OR_RAISE(const Constraints known, ConstraintsOf(*side));
  Exprs inferred;
  for (const ExprPtr& constraint : constraints) {
    const bool can_move = IsDeterministic(*constraint) && ReadsColumns(*constraint);
    if (!can_move || !ReadsOnly(*constraint, begin, end, width)) continue;
    ExprPtr of_side = ShiftColumns(constraint, begin);
    if (!Contains(known, *of_side)) inferred.push_back(std::move(of_side));
  }
  return FilterBy(side, inferred, join.span);
}

arrow::Result<LogicalPlanPtr> InferForJoin(const LogicalPlanPtr& plan) {
  const auto& join = As<JoinNode>(*plan);
  if (join.is_subquery || join.type == JoinType::kFull) return plan;
  const auto left_width = static_cast<int>(join.left().output.size());
  ARROW_ASSIGN_OR_RAISE(Constraints all, ConstraintsOf(join.left()));
  ARROW_ASSIGN_OR_RAISE(const Constraints right, ConstraintsOf(join.right()));
  for (const ExprPtr& constraint : right)
    AddConstraint(ShiftColumns(constraint, -left_width), &all);
  if (join.condition != nullptr) {
    Exprs conjuncts;
    SplitConjuncts(join.condition, &conjuncts);
    AddAll(conjuncts, &all);
  }
  ARROW_ASSIGN_OR_RAISE(const Constraints equal, InferFromEqualities(all));
  AddAll(equal, &all);
  ARROW_ASSIGN_OR_RAISE(const Constraints not_null, InferNotNull(all));
  AddAll(not_null, &all);
  const bool infers_left = join.type == JoinType::kInner || join.type == JoinType::kLeftSemi ||
                           join.type == JoinType::kRight;
  std::vector<LogicalPlanPtr> children = join.children;
  if (infers_left) {
    ARROW_ASSIGN_OR_RAISE(children[0], InferForSide(join, /*is_left=*/true, all));
  }
  if (join.type != JoinType::kRight) {
    ARROW_ASSIGN_OR_RAISE(children[1], InferForSide(join, /*is_left=*/false, all));
  }
  return children == join.children ? plan : WithChildren(join, std::move(children));
}

bool HasWatermark(const LogicalPlanPtr& plan) {
  bool has_watermark = false;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    has_watermark = has_watermark || node->kind == Kind::kWithWatermark;
  });
  return has_watermark;
}

arrow::Result<LogicalPlanPtr> InferForGenerate(const LogicalPlanPtr& plan) {
  constexpr std::array<std::string_view, 3> kDropEmpty = {"explode", "posexplode", "inline"};
  const auto& node = As<GenerateNode>(*plan);
  const bool drops_empty =
      std::find(kDropEmpty.begin(), kDropEmpty.end(), node.function) != kDropEmpty.end();
  if (!drops_empty || node.args[0]->kind != Expr::Kind::kColumn) return plan;
  if (!HasWatermark(plan)) return plan;
  const ExprPtr& input = node.args[0];
  ARROW_ASSIGN_OR_RAISE(ExprPtr size, MakeCall("size", {input}, plan->span));
  ARROW_ASSIGN_OR_RAISE(
      ExprPtr is_filled,
      MakeCall(">", {std::move(size), MakeLiteral(arrow::MakeScalar(int32_t{0}), plan->span)},
               plan->span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_there, MakeCall("isnotnull", {input}, plan->span));
  ARROW_ASSIGN_OR_RAISE(
      LogicalPlanPtr filtered,
      FilterBy(plan->children[0], {std::move(is_filled), std::move(is_there)}, plan->span));
  return WithChildren(node, {std::move(filtered)});
}

// Whether it can be evaluated on any row.
bool NeverFails(const Expr& expr) {
  const auto never_fails = [](const ExprPtr& arg) { return NeverFails(*arg); };
  if (!std::all_of(expr.args.begin(), expr.args.end(), never_fails)) return false;
  switch (expr.kind) {
    case Expr::Kind::kLiteral:
    case Expr::Kind::kColumn:
      return true;
    case Expr::Kind::kCall:
      break;
    default:
      return false;
  }
  if (expr.name == "try_cast") return true;
  if (expr.name == "cast") return IsTotalCast(*expr.args[0]->type, *expr.type);
  const FunctionInfo* info = FindFunction(expr.name);
  if (info == nullptr) return false;
  if (info->is_total) return true;
  const auto bound = info->bind(expr.args);
  return bound.ok() && bound->is_total;
}

// Whether a row where `column` is NULL fails the condition anyway.
bool Implies(const ExprPtr& condition, const Expr& column) {
  Exprs columns;
  CollectNullIntolerant(condition, &columns);
  return Contains(columns, column);
}

arrow::Result<LogicalPlanPtr> WithoutImplied(const LogicalPlanPtr& plan) {
  Exprs conjuncts, left;
  SplitConjuncts(As<FilterNode>(*plan).condition, &conjuncts);
  const auto never_fails = [](const ExprPtr& conjunct) { return NeverFails(*conjunct); };
  if (!std::all_of(conjuncts.begin(), conjuncts.end(), never_fails)) return plan;
  for (const ExprPtr& conjunct : conjuncts) {
    const bool is_not_null = IsCall(*conjunct, "isnotnull");
    const bool is_implied =
        is_not_null && std::any_of(conjuncts.begin(), conjuncts.end(), [&](const ExprPtr& other) {
          return other != conjunct && Implies(other, *conjunct->args[0]);
        });
    if (!is_implied) left.push_back(conjunct);
  }
  if (left.size() == conjuncts.size()) return plan;
  return FilterBy(plan->children[0], left, plan->span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> InferFilters(const LogicalPlanPtr& plan) {
  LogicalPlanPtr inferred = plan;
  if (plan->kind == Kind::kFilter) {
    ARROW_ASSIGN_OR_RAISE(inferred, InferForFilter(plan));
  } else if (plan->kind == Kind::kJoin) {
    ARROW_ASSIGN_OR_RAISE(inferred, InferForJoin(plan));
  }
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : inferred->children) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), InferFilters(child));
  }
  return children == inferred->children ? inferred : WithChildren(*inferred, std::move(children));
}

arrow::Result<LogicalPlanPtr> InferFiltersOfGenerators(const LogicalPlanPtr& plan) {
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), InferFiltersOfGenerators(child));
  }
  LogicalPlanPtr inferred =
      children == plan->children ? plan : WithChildren(*plan, std::move(children));
  return inferred->kind == Kind::kGenerate ? InferForGenerate(inferred) : inferred;
}

arrow::Result<LogicalPlanPtr> DropImpliedConditions(const LogicalPlanPtr& plan) {
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), DropImpliedConditions(child));
  }
  LogicalPlanPtr dropped =
      children == plan->children ? plan : WithChildren(*plan, std::move(children));
  return dropped->kind == Kind::kFilter ? WithoutImplied(dropped) : dropped;
}

}  // namespace tidemill::driver
