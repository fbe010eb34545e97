#include "driver/plan/optimize/push_filter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

bool AllDeterministic(const Exprs& exprs) {
  return std::all_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return IsDeterministic(*expr); });
}

// What a column of a node is over the node's child, or nullptr where a filter on it must stay
// above.
ExprPtr BelowOf(const LogicalPlan& node, int column) {
  const LogicalPlan& child = node.child();
  auto at = [&](int place) {
    const PlanField& field = child.output[place];
    return MakeColumn(place, field.name, field.type);
  };
  switch (node.kind) {
    case Kind::kProject: {
      const ExprPtr& expr = As<ProjectNode>(node).exprs[column];
      return IsCheap(*expr) ? expr : nullptr;
    }
    case Kind::kGenerate: {
      const std::vector<int>& kept = As<GenerateNode>(node).kept;
      return column < static_cast<int>(kept.size()) ? at(kept[column]) : nullptr;
    }
    case Kind::kAggregate: {
      const Exprs& keys = As<AggregateNode>(node).keys;
      // The session of a group is another one than those of its rows.
      if (column == As<AggregateNode>(node).session_key) return nullptr;
      return column < static_cast<int>(keys.size()) ? keys[column] : nullptr;
    }
    case Kind::kWithWatermark:
      return column == As<WithWatermarkNode>(node).column ? nullptr : at(column);
    case Kind::kUnion:
    case Kind::kSort:
      return at(column);
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

arrow::Result<LogicalPlanPtr> FilterOver(LogicalPlanPtr plan, const Exprs& conjuncts, Span span) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conjuncts));
  if (condition == nullptr) return plan;
  return MakeFilter(std::move(plan), std::move(condition), span);
}

// A condition on one side may go into it unless rows of that side are kept without a partner by the
// other side's type of outer join (they come with NULLs instead).
arrow::Result<LogicalPlanPtr> PushIntoJoin(const LogicalPlanPtr& plan, const Exprs& conjuncts) {
  const LogicalPlan& filter = *plan;
  const auto& join = As<JoinNode>(filter.child());
  const auto left_width = static_cast<int>(join.left().output.size());
  const auto width = static_cast<int>(join.output.size());
  Exprs left, right, above;
  for (const ExprPtr& conjunct : conjuncts) {
    if (!IsOuterSide(join.type, /*is_left=*/false) && ReadsOnly(*conjunct, 0, left_width, width)) {
      left.push_back(conjunct);
    } else if (!IsOuterSide(join.type, /*is_left=*/true) &&
               ReadsOnly(*conjunct, left_width, width, width)) {
      right.push_back(ShiftColumns(conjunct, left_width));
    } else {
      above.push_back(conjunct);
    }
  }
  if (left.empty() && right.empty()) return plan;
  std::vector<LogicalPlanPtr> children(2);
  ARROW_ASSIGN_OR_RAISE(children[0], FilterOver(join.children[0], left, plan->span));
  ARROW_ASSIGN_OR_RAISE(children[1], FilterOver(join.children[1], right, plan->span));
  return FilterOver(WithChildren(join, std::move(children)), above, plan->span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> PushFilter(const LogicalPlanPtr& plan) {
  const auto& filter = As<FilterNode>(*plan);
  const LogicalPlan& node = filter.child();
  if (!IsDeterministic(*filter.condition)) return plan;
  Exprs conjuncts;
  SplitConjuncts(filter.condition, &conjuncts);
  if (node.kind == Kind::kJoin) return PushIntoJoin(plan, conjuncts);
  if (!LetsFiltersThrough(node)) return plan;
  Exprs replacement;
  for (int i = 0; i < static_cast<int>(node.output.size()); ++i) {
    replacement.push_back(BelowOf(node, i));
  }
  Exprs below, above;
  for (const ExprPtr& conjunct : conjuncts) {
    std::vector<bool> used(node.output.size());
    CollectColumns(*conjunct, &used);
    bool can_move = true;
    for (size_t i = 0; i < used.size(); ++i) can_move = can_move && (!used[i] || replacement[i]);
    (can_move ? below : above)
        .push_back(can_move ? SubstituteColumns(conjunct, replacement) : conjunct);
  }
  if (below.empty()) return plan;
  std::vector<LogicalPlanPtr> children = node.children;
  for (LogicalPlanPtr& child : children) {
    ARROW_ASSIGN_OR_RAISE(child, FilterOver(std::move(child), below, plan->span));
  }
  return FilterOver(WithChildren(node, std::move(children)), above, plan->span);
}

}  // namespace tidemill::driver
