#include "driver/plan/optimize/subquery_filters.h"

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

// One join on its way down. Conditions are over the columns of the relation it has reached, then
// the subquery's. A left join adds the subquery's columns behind those of every relation it passes.
class SubqueryMove {
 public:
  explicit SubqueryMove(const JoinNode& join) : join_(join) {}

  // The relation with the join below a watermark of it; nullptr where it gets below none. (No
  // condition: every row goes with every row of the subquery.)
  arrow::Result<LogicalPlanPtr> Insert(const LogicalPlanPtr& plan, const ExprPtr& condition) {
    switch (plan->kind) {
      case Kind::kWithWatermark:
        return InWatermark(As<WithWatermarkNode>(*plan), condition);
      case Kind::kSubqueryAlias:
        return Insert(plan->children[0], condition);
      case Kind::kFilter: {
        if (!IsDeterministic(*As<FilterNode>(*plan).condition)) return nullptr;
        ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Insert(plan->children[0], condition));
        if (child == nullptr) return nullptr;
        return WithChildren(*plan, {std::move(child)});
      }
      case Kind::kProject:
        return InProject(As<ProjectNode>(*plan), condition);
      case Kind::kAggregate:
        return InAggregate(As<AggregateNode>(*plan), condition);
      case Kind::kUnion:
        return InUnion(*plan, condition);
      case Kind::kJoin:
        return InJoin(As<JoinNode>(*plan), condition);
      default:
        return nullptr;
    }
  }

 private:
  bool adds_columns() const { return join_.type == JoinType::kLeft; }

  LogicalPlanPtr JoinOver(const LogicalPlanPtr& plan, const ExprPtr& condition) const {
    return WithCondition(join_, {plan, join_.children[1]}, join_.type, condition);
  }

  // The condition over a child of `width` columns, of which `exprs` are the columns so far; nullptr
  // where it reads one that is none of the child's.
  ExprPtr Below(const ExprPtr& condition, Exprs exprs, int width) const {
    std::vector<bool> used(exprs.size());
    CollectColumns(*condition, &used);
    for (size_t i = 0; i < exprs.size(); ++i) {
      if (used[i] && exprs[i] == nullptr) return nullptr;
    }
    for (int i = 0; i < WidthOf(join_.right()); ++i) {
      exprs.push_back(ColumnOf(join_.right().output[i], width + i));
    }
    return SubstituteColumns(condition, exprs);
  }

  arrow::Result<LogicalPlanPtr> InWatermark(const WithWatermarkNode& node,
                                            const ExprPtr& condition) {
    if (condition != nullptr) {
      std::vector<bool> used(node.output.size());
      CollectColumns(*condition, &used);
      if (used[node.column]) return nullptr;
    }
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Insert(node.children[0], condition));
    if (child == nullptr) child = JoinOver(node.children[0], condition);
    return WithChildren(node, {std::move(child)});
  }

  arrow::Result<LogicalPlanPtr> InProject(const ProjectNode& node, const ExprPtr& condition) {
    if (!AllDeterministic(node.exprs)) return nullptr;
    const int width = WidthOf(node.child());
    ExprPtr below = condition == nullptr ? nullptr : Below(condition, node.exprs, width);
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Insert(node.children[0], below));
    if (child == nullptr) return nullptr;
    Exprs exprs = node.exprs;
    std::vector<PlanField> fields = node.output;
    for (int i = 0; adds_columns() && i < WidthOf(join_.right()); ++i) {
      fields.push_back(join_.right().output[i]);
      exprs.push_back(ColumnOf(fields.back(), width + i));
    }
    return MakeProject(std::move(child), std::move(exprs), std::move(fields), node.span);
  }

  arrow::Result<LogicalPlanPtr> InAggregate(const AggregateNode& node, const ExprPtr& condition) {
    if (adds_columns() || condition == nullptr || !AllDeterministic(node.keys)) return nullptr;
    Exprs exprs = node.keys;
    if (node.session_key >= 0) exprs[node.session_key] = nullptr;
    exprs.resize(node.output.size());
    const ExprPtr below = Below(condition, std::move(exprs), WidthOf(node.child()));
    if (below == nullptr) return nullptr;
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Insert(node.children[0], below));
    if (child == nullptr) return nullptr;
    return WithChildren(node, {std::move(child)});
  }

  arrow::Result<LogicalPlanPtr> InUnion(const LogicalPlan& node, const ExprPtr& condition) {
    std::vector<LogicalPlanPtr> children;
    bool got_below = false;
    for (const LogicalPlanPtr& branch : node.children) {
      ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Insert(branch, condition));
      got_below = got_below || child != nullptr;
      children.push_back(child == nullptr ? JoinOver(branch, condition) : std::move(child));
    }
    if (!got_below) return nullptr;
    return WithChildren(node, std::move(children));
  }

  arrow::Result<LogicalPlanPtr> InJoin(const JoinNode& node, const ExprPtr& condition) {
    if (adds_columns() || condition == nullptr || node.is_subquery) return nullptr;
    for (const bool is_left : {true, false}) {
      if (IsOuterSide(node.type, !is_left)) continue;
      const ExprPtr below = OfSide(node, is_left, condition, /*uses_equalities=*/false);
      if (below == nullptr) continue;
      std::vector<LogicalPlanPtr> children = node.children;
      LogicalPlanPtr& side = children[is_left ? 0 : 1];
      ARROW_ASSIGN_OR_RAISE(side, Insert(side, below));
      if (side == nullptr) return nullptr;
      // What holds for a key holds for the equal one of the other side.
      const ExprPtr of_other = node.type != JoinType::kInner
                                   ? nullptr
                                   : OfSide(node, !is_left, condition, /*uses_equalities=*/true);
      if (of_other != nullptr) {
        LogicalPlanPtr& other = children[is_left ? 1 : 0];
        ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr filtered, Insert(other, of_other));
        if (filtered != nullptr) other = std::move(filtered);
      }
      return WithChildren(node, std::move(children));
    }
    return nullptr;
  }

  // The condition over the columns of one side of `node`, or those that the join says are equal to
  // them; nullptr where it reads others.
  ExprPtr OfSide(const JoinNode& node, bool is_left, const ExprPtr& condition,
                 bool uses_equalities) const {
    const int left = WidthOf(node.left());
    const int width = left + WidthOf(node.right());
    const int begin = is_left ? 0 : left;
    const int end = is_left ? left : width;
    const LogicalPlan& side = is_left ? node.left() : node.right();
    const auto is_of_side = [&](int column) { return column >= begin && column < end; };
    Exprs exprs(width);
    for (int i = begin; i < end; ++i) exprs[i] = ColumnOf(side.output[i - begin], i - begin);
    Exprs conjuncts;
    if (uses_equalities && node.condition != nullptr) SplitConjuncts(node.condition, &conjuncts);
    for (const ExprPtr& conjunct : conjuncts) {
      if (!IsCall(*conjunct, "=")) continue;
      const Expr& a = *conjunct->args[0];
      const Expr& b = *conjunct->args[1];
      if (a.kind != Expr::Kind::kColumn || b.kind != Expr::Kind::kColumn) continue;
      if (is_of_side(a.column) == is_of_side(b.column)) continue;
      const bool is_first = is_of_side(a.column);
      exprs[is_first ? b.column : a.column] = exprs[is_first ? a.column : b.column];
    }
    exprs.resize(node.output.size());
    return Below(condition, std::move(exprs), end - begin);
  }

  const JoinNode& join_;
};

}  // namespace

arrow::Result<LogicalPlanPtr> PushSubquery(const LogicalPlanPtr& plan) {
  const auto& join = As<JoinNode>(*plan);
  // A correlation that is more than equalities reads the rows around it again.
  if (IsStreaming(join.children[1])) return plan;
  if (join.condition != nullptr && !IsDeterministic(*join.condition)) return plan;
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr moved,
                        SubqueryMove(join).Insert(join.children[0], join.condition));
  return moved == nullptr ? plan : moved;
}

}  // namespace tidemill::driver
