#include "driver/plan/optimize/join_filters.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "common/expr/evaluator.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/constraints.h"
#include "driver/plan/optimize/fold_constants.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

// The columns of one side among those of both.
struct SideColumns {
  int begin = 0;
  int end = 0;
  int width = 0;  // of both
};

SideColumns ColumnsOfSide(const JoinNode& join, bool is_left) {
  const auto left = static_cast<int>(join.left().output.size());
  const auto both = left + static_cast<int>(join.right().output.size());
  return is_left ? SideColumns{0, left, both} : SideColumns{left, both, both};
}

bool ReadsSide(const Expr& expr, const SideColumns& side) {
  return ReadsOnly(expr, side.begin, side.end, side.width);
}

// Whether a row of the side that can have no partner does not go out.
bool DropsUnmatched(JoinType type, bool is_left) {
  if (type == JoinType::kLeftAnti) return !is_left;
  return !IsOuterSide(type, is_left);
}

// A value that no filter lets through: NULL or false, where all columns are NULL.
bool RejectsNulls(const ExprPtr& condition, const EvalContext& context) {
  if (ReadsEpochTime(*condition)) return false;
  std::vector<bool> used;
  CollectColumns(*condition, &used);
  Exprs nulls(used.size());
  const std::function<void(const Expr&)> fill = [&](const Expr& expr) {
    if (expr.kind == Expr::Kind::kColumn && nulls[expr.column] == nullptr) {
      nulls[expr.column] = MakeLiteral(arrow::MakeNullScalar(expr.type));
    }
    for (const ExprPtr& arg : expr.args) fill(*arg);
  };
  fill(*condition);
  const ExprPtr value = FoldConstant(SubstituteColumns(condition, nulls), context);
  if (value == nullptr || value->kind != Expr::Kind::kLiteral) return false;
  return !value->literal->is_valid ||
         (value->type->id() == arrow::Type::BOOL &&
          !static_cast<const arrow::BooleanScalar&>(*value->literal).value);
}

JoinType WithoutOuterSide(JoinType type, bool left_is_there, bool right_is_there) {
  if (type == JoinType::kRight && left_is_there) return JoinType::kInner;
  if (type == JoinType::kLeft && right_is_there) return JoinType::kInner;
  if (type != JoinType::kFull) return type;
  if (left_is_there && right_is_there) return JoinType::kInner;
  if (left_is_there) return JoinType::kLeft;
  return right_is_there ? JoinType::kRight : type;
}

// What a condition says of one side; nullptr for nothing.
arrow::Result<ExprPtr> PartOf(const ExprPtr& condition, const SideColumns& side) {
  const bool is_and = IsCall(*condition, "and");
  const bool is_or = IsCall(*condition, "or");
  if (!is_and && !is_or) return ReadsSide(*condition, side) ? condition : nullptr;
  ExprPtr all;
  for (const ExprPtr& arg : condition->args) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr part, PartOf(arg, side));
    if (part == nullptr && is_or) return nullptr;
    if (part == nullptr) continue;
    if (all == nullptr) {
      all = std::move(part);
    } else {
      ARROW_ASSIGN_OR_RAISE(all, MakeCall(condition->name, {all, std::move(part)}, all->span));
    }
  }
  return all;
}

// The side with what the join's condition says of it and it does not know yet.
arrow::Result<LogicalPlanPtr> WithExtra(const JoinNode& join, bool is_left) {
  const LogicalPlanPtr& plan = join.children[is_left ? 0 : 1];
  const bool can_filter = join.type != JoinType::kFull && DropsUnmatched(join.type, is_left);
  if (!can_filter || join.condition == nullptr) return plan;
  const SideColumns side = ColumnsOfSide(join, is_left);
  ARROW_ASSIGN_OR_RAISE(const Constraints known, ConstraintsOf(*plan));
  Exprs conjuncts, extra;
  SplitConjuncts(join.condition, &conjuncts);
  for (const ExprPtr& conjunct : conjuncts) {
    if (!IsDeterministic(*conjunct) || ReadsSide(*conjunct, ColumnsOfSide(join, true)) ||
        ReadsSide(*conjunct, ColumnsOfSide(join, false))) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr part, PartOf(conjunct, side));
    if (part == nullptr) continue;
    part = ShiftColumns(part, side.begin);
    if (!Contains(known, *part)) extra.push_back(std::move(part));
  }
  return FilterBy(plan, extra, join.span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> PushJoinCondition(const LogicalPlanPtr& plan) {
  const auto& join = As<JoinNode>(*plan);
  if (join.condition == nullptr || join.type == JoinType::kFull) return plan;
  Exprs conjuncts, rest;
  SplitConjuncts(join.condition, &conjuncts);
  std::vector<Exprs> of_sides(2);
  for (const ExprPtr& conjunct : conjuncts) {
    Exprs* place = &rest;
    for (const bool is_left : {true, false}) {
      const SideColumns side = ColumnsOfSide(join, is_left);
      if (place != &rest || !IsDeterministic(*conjunct) || !ReadsSide(*conjunct, side)) continue;
      if (DropsUnmatched(join.type, is_left)) place = &of_sides[is_left ? 0 : 1];
    }
    place->push_back(place == &of_sides[1]
                         ? ShiftColumns(conjunct, ColumnsOfSide(join, false).begin)
                         : conjunct);
  }
  if (rest.size() == conjuncts.size()) return plan;
  std::vector<LogicalPlanPtr> children(2);
  for (int i = 0; i < 2; ++i) {
    ARROW_ASSIGN_OR_RAISE(children[i], FilterBy(join.children[i], of_sides[i], plan->span));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(rest));
  return WithCondition(join, std::move(children), join.type, std::move(condition));
}

arrow::Result<LogicalPlanPtr> EliminateOuterJoin(const LogicalPlanPtr& plan,
                                                 const EvalContext& context) {
  const LogicalPlan& filter = *plan;
  const auto& join = As<JoinNode>(filter.child());
  if (join.is_subquery || (!IsOuterSide(join.type, true) && !IsOuterSide(join.type, false))) {
    return plan;
  }
  ARROW_ASSIGN_OR_RAISE(const Constraints conditions, ConstraintsOf(filter));
  const auto is_there = [&](bool is_left) {
    const SideColumns side = ColumnsOfSide(join, is_left);
    return std::any_of(conditions.begin(), conditions.end(), [&](const ExprPtr& condition) {
      return ReadsSide(*condition, side) && RejectsNulls(condition, context);
    });
  };
  const JoinType type = WithoutOuterSide(join.type, is_there(true), is_there(false));
  if (type == join.type) return plan;
  return WithChildren(filter, {WithCondition(join, join.children, type, join.condition)});
}

arrow::Result<LogicalPlanPtr> PushExtraConditions(const LogicalPlanPtr& plan) {
  std::vector<LogicalPlanPtr> children = plan->children;
  if (plan->kind == Kind::kJoin && !As<JoinNode>(*plan).is_subquery) {
    for (int i = 0; i < 2; ++i) {
      ARROW_ASSIGN_OR_RAISE(children[i], WithExtra(As<JoinNode>(*plan), /*is_left=*/i == 0));
    }
  }
  for (LogicalPlanPtr& child : children) {
    ARROW_ASSIGN_OR_RAISE(child, PushExtraConditions(child));
  }
  return children == plan->children ? plan : WithChildren(*plan, std::move(children));
}

}  // namespace tidemill::driver
