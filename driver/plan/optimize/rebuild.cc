#include "driver/plan/optimize/rebuild.h"

#include <utility>

#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using ExprMap = std::function<ExprPtr(const ExprPtr&)>;

std::vector<ExprPtr> Mapped(std::vector<ExprPtr> exprs, const ExprMap& map) {
  for (ExprPtr& expr : exprs) expr = map(expr);
  return exprs;
}

LogicalPlanPtr RebuildKeyed(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children,
                            const ExprMap& map) {
  switch (plan.kind) {
    case Kind::kAggregate: {
      const auto& node = As<AggregateNode>(plan);
      std::vector<AggregateCall> calls = node.calls;
      for (AggregateCall& call : calls) call.args = Mapped(std::move(call.args), map);
      return WithSessionKey(MakeAggregate(std::move(children[0]), Mapped(node.keys, map),
                                          std::move(calls), node.event_times, plan.span),
                            node.session_key);
    }
    case Kind::kJoin: {
      const auto& node = As<JoinNode>(plan);
      ExprPtr condition = node.condition == nullptr ? nullptr : map(node.condition);
      return WithCondition(node, std::move(children), node.type, std::move(condition));
    }
    case Kind::kDeduplicate: {
      const auto& node = As<DeduplicateNode>(plan);
      return MakeDeduplicate(std::move(children[0]), node.columns, node.within_watermark,
                             plan.span);
    }
    case Kind::kWithWatermark: {
      const auto& node = As<WithWatermarkNode>(plan);
      return MakeWithWatermark(std::move(children[0]), node.column, node.delay_us, node.definition,
                               plan.span);
    }
    case Kind::kWindow: {
      const auto& node = As<WindowNode>(plan);
      std::vector<SortKey> order = node.order;
      std::vector<WindowCall> calls = node.calls;
      ForEachExpr(&order, &calls, [&map](ExprPtr* expr) { *expr = map(*expr); });
      return MakeWindow(std::move(children[0]), node.partition, std::move(order), std::move(calls),
                        plan.span);
    }
    default:
      return nullptr;
  }
}

}  // namespace

LogicalPlanPtr Rebuild(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children,
                       const ExprMap& map) {
  LogicalPlanPtr child = children.empty() ? nullptr : children[0];
  switch (plan.kind) {
    case Kind::kOneRow:
      return MakeOneRow(plan.span);
    case Kind::kRead:
      return MakeRead(As<ReadNode>(plan).source, As<ReadNode>(plan).columns, plan.span);
    case Kind::kSubqueryAlias:
      return MakeSubqueryAlias(std::move(child), As<SubqueryAliasNode>(plan).alias, plan.span);
    case Kind::kFilter:
      return MakeFilter(std::move(child), map(As<FilterNode>(plan).condition), plan.span);
    case Kind::kProject:
      return MakeProject(std::move(child), Mapped(As<ProjectNode>(plan).exprs, map), plan.output,
                         plan.span);
    case Kind::kGenerate: {
      const auto& node = As<GenerateNode>(plan);
      return MakeGenerate(std::move(child), node.function, Mapped(node.args, map), node.kept,
                          node.generated, plan.span);
    }
    case Kind::kUnion:
      return MakeUnion(std::move(children), plan.span);
    case Kind::kSort: {
      std::vector<SortKey> keys = As<SortNode>(plan).keys;
      for (SortKey& key : keys) key.expr = map(key.expr);
      return MakeSort(std::move(child), std::move(keys), plan.span);
    }
    case Kind::kLimit:
      return MakeLimit(std::move(child), As<LimitNode>(plan).count, As<LimitNode>(plan).offset,
                       plan.span);
    default:
      return RebuildKeyed(plan, std::move(children), map);
  }
}

LogicalPlanPtr WithChildren(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children) {
  return Rebuild(plan, std::move(children), [](const ExprPtr& expr) { return expr; });
}

LogicalPlanPtr WithCondition(const JoinNode& join, std::vector<LogicalPlanPtr> children,
                             JoinType type, ExprPtr condition) {
  LogicalPlanPtr made = MakeJoin(std::move(children[0]), std::move(children[1]), type,
                                 std::move(condition), join.span);
  return join.is_subquery ? AsSubquery(std::move(made)) : made;
}

arrow::Result<LogicalPlanPtr> FilterBy(LogicalPlanPtr plan, const std::vector<ExprPtr>& conjuncts,
                                       Span span) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conjuncts));
  if (condition == nullptr) return plan;
  return MakeFilter(std::move(plan), std::move(condition), span);
}

}  // namespace tidemill::driver
