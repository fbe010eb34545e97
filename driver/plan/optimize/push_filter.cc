#include "driver/plan/optimize/push_filter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/constraints.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

// What a column of a node is over the node's child, or nullptr where a filter on it must stay
// above.
ExprPtr BelowOf(const LogicalPlan& node, int column) {
  switch (node.kind) {
    case Kind::kProject:
      return As<ProjectNode>(node).exprs[column];
    case Kind::kGenerate: {
      const std::vector<int>& kept = As<GenerateNode>(node).kept;
      return column < static_cast<int>(kept.size()) ? ColumnAt(node.child(), kept[column])
                                                    : nullptr;
    }
    case Kind::kAggregate: {
      const Exprs& keys = As<AggregateNode>(node).keys;
      // The session of a group is another one than those of its rows.
      if (column == As<AggregateNode>(node).session_key) return nullptr;
      return column < static_cast<int>(keys.size()) ? keys[column] : nullptr;
    }
    case Kind::kWithWatermark:
      if (column == As<WithWatermarkNode>(node).column) return nullptr;
      return ColumnAt(node.child(), column);
    case Kind::kUnion:
    case Kind::kSort:
      return ColumnAt(node.child(), column);
    default:
      return nullptr;
  }
}

bool LetsFiltersThrough(const LogicalPlan& node) {
  switch (node.kind) {
    case Kind::kProject:
      return AllDeterministic(As<ProjectNode>(node).exprs);
    case Kind::kGenerate:
      return AllDeterministic(As<GenerateNode>(node).args);
    case Kind::kAggregate:
      return !As<AggregateNode>(node).keys.empty() &&
             AllDeterministic(As<AggregateNode>(node).keys);
    case Kind::kWithWatermark:
    case Kind::kUnion:
    case Kind::kSort:
      return true;
    default:
      return false;
  }
}

// The condition over the node's child, or nullptr where it must stay above.
ExprPtr Below(const LogicalPlan& node, const ExprPtr& conjunct) {
  std::vector<bool> used(node.output.size());
  CollectColumns(*conjunct, &used);
  Exprs replacement(used.size());
  bool reads_some = false;
  for (int i = 0; i < static_cast<int>(used.size()); ++i) {
    if (!used[i]) continue;
    replacement[i] = BelowOf(node, i);
    if (replacement[i] == nullptr) return nullptr;
    reads_some = true;
  }
  if (node.kind == Kind::kAggregate && !reads_some) return nullptr;
  return SubstituteColumns(conjunct, replacement);
}

// Whether a condition on the rows of `plan` gets below a watermark or into a join from there.
bool GetsFar(const LogicalPlan& plan, const ExprPtr& conjunct) {
  if (plan.kind == Kind::kFilter) return GetsFar(plan.child(), conjunct);
  if (plan.kind == Kind::kJoin) return true;
  if (!LetsFiltersThrough(plan)) return false;
  const ExprPtr below = Below(plan, conjunct);
  if (below == nullptr) return false;
  return plan.kind == Kind::kWithWatermark || GetsFar(plan.child(), below);
}

// Whether it is worth computing again what the projection computes.
bool PaysOff(const ProjectNode& project, const ExprPtr& conjunct, const ExprPtr& below) {
  std::vector<bool> used(project.exprs.size());
  CollectColumns(*conjunct, &used);
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i] && !IsCheap(*project.exprs[i])) return GetsFar(project.child(), below);
  }
  return true;
}

// A condition on one side may go into it unless rows of that side are kept without a partner by the
// other side's type of outer join (they come with NULLs instead).
arrow::Result<LogicalPlanPtr> PushIntoJoin(const LogicalPlanPtr& plan, const Exprs& conjuncts) {
  const LogicalPlan& filter = *plan;
  const auto& join = As<JoinNode>(filter.child());
  const auto left_width = static_cast<int>(join.left().output.size());
  const auto width = static_cast<int>(join.output.size());
  Exprs left, right, both, above;
  for (const ExprPtr& conjunct : conjuncts) {
    const bool can_move = IsDeterministic(*conjunct);
    if (can_move && !IsOuterSide(join.type, /*is_left=*/false) &&
        ReadsOnly(*conjunct, 0, left_width, width)) {
      left.push_back(conjunct);
    } else if (can_move && !IsOuterSide(join.type, /*is_left=*/true) &&
               ReadsOnly(*conjunct, left_width, width, width)) {
      right.push_back(ShiftColumns(conjunct, left_width));
    } else {
      (can_move && join.type == JoinType::kInner ? both : above).push_back(conjunct);
    }
  }
  if (left.empty() && right.empty() && both.empty()) return plan;
  std::vector<LogicalPlanPtr> children(2);
  ARROW_ASSIGN_OR_RAISE(children[0], FilterBy(join.children[0], left, plan->span));
  ARROW_ASSIGN_OR_RAISE(children[1], FilterBy(join.children[1], right, plan->span));
  if (join.condition != nullptr) SplitConjuncts(join.condition, &both);
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(both));
  return FilterBy(WithCondition(join, std::move(children), join.type, std::move(condition)), above,
                  plan->span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> PushFilter(const LogicalPlanPtr& plan) {
  const auto& filter = As<FilterNode>(*plan);
  const LogicalPlan& node = filter.child();
  Exprs conjuncts;
  SplitConjuncts(filter.condition, &conjuncts);
  if (node.kind == Kind::kJoin) return PushIntoJoin(plan, conjuncts);
  if (!LetsFiltersThrough(node)) return plan;
  Exprs below, above;
  for (const ExprPtr& conjunct : conjuncts) {
    ExprPtr moved = IsDeterministic(*conjunct) ? Below(node, conjunct) : nullptr;
    if (moved != nullptr && node.kind == Kind::kProject &&
        !PaysOff(As<ProjectNode>(node), conjunct, moved)) {
      moved = nullptr;
    }
    if (moved != nullptr) {
      below.push_back(std::move(moved));
    } else {
      above.push_back(conjunct);
    }
  }
  if (below.empty()) return plan;
  std::vector<LogicalPlanPtr> children = node.children;
  for (LogicalPlanPtr& child : children) {
    ARROW_ASSIGN_OR_RAISE(child, FilterBy(std::move(child), below, plan->span));
  }
  return FilterBy(WithChildren(node, std::move(children)), above, plan->span);
}

arrow::Result<LogicalPlanPtr> CombineFilters(const LogicalPlanPtr& plan) {
  const auto& upper = As<FilterNode>(*plan);
  const auto& lower = As<FilterNode>(upper.child());
  if (!IsDeterministic(*lower.condition)) return plan;
  Exprs conjuncts, together, above;
  SplitConjuncts(lower.condition, &together);
  SplitConjuncts(upper.condition, &conjuncts);
  for (const ExprPtr& conjunct : conjuncts) {
    if (!IsDeterministic(*conjunct)) {
      above.push_back(conjunct);
    } else if (!Contains(together, *conjunct)) {
      together.push_back(conjunct);
    }
  }
  if (above.size() == conjuncts.size()) return plan;
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr combined, FilterBy(lower.children[0], together, plan->span));
  return FilterBy(std::move(combined), above, plan->span);
}

}  // namespace tidemill::driver
