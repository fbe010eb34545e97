#include "driver/plan/optimize/column_pruning.h"

#include <utility>

#include "common/base/check.h"
#include "common/expr/expr.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

// A node that lost columns, and where the old ones are now (-1: gone).
struct Pruned {
  LogicalPlanPtr plan;
  std::vector<int> places;
};

void Collect(const std::vector<ExprPtr>& exprs, std::vector<bool>* used) {
  for (const ExprPtr& expr : exprs) CollectColumns(*expr, used);
}

// The expression over the columns' new places.
ExprPtr Move(const ExprPtr& expr, const Pruned& child) {
  std::vector<ExprPtr> replacement(child.places.size());
  for (size_t i = 0; i < child.places.size(); ++i) {
    const int place = child.places[i];
    if (place < 0) continue;
    const PlanField& field = child.plan->output[place];
    replacement[i] = MakeColumn(place, field.name, field.type);
  }
  return SubstituteColumns(expr, replacement);
}

std::vector<ExprPtr> Move(const std::vector<ExprPtr>& exprs, const Pruned& child) {
  std::vector<ExprPtr> moved;
  moved.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) moved.push_back(Move(expr, child));
  return moved;
}

Pruned Prune(const LogicalPlanPtr& plan, std::vector<bool> used);

Pruned PruneRead(const ReadNode& node, const std::vector<bool>& used) {
  Pruned pruned;
  std::vector<int> columns;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    pruned.places.push_back(used[i] ? static_cast<int>(columns.size()) : -1);
    if (used[i]) columns.push_back(node.columns[i]);
  }
  pruned.plan = MakeRead(node.source, std::move(columns), node.span);
  return pruned;
}

Pruned PruneProject(const ProjectNode& node, const std::vector<bool>& used) {
  Pruned pruned;
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    pruned.places.push_back(used[i] ? static_cast<int>(exprs.size()) : -1);
    if (!used[i]) continue;
    exprs.push_back(node.exprs[i]);
    fields.push_back(node.output[i]);
  }
  std::vector<bool> child_used(node.child().output.size());
  Collect(exprs, &child_used);
  const Pruned child = Prune(node.children[0], std::move(child_used));
  pruned.plan = MakeProject(child.plan, Move(exprs, child), std::move(fields), node.span);
  return pruned;
}

Pruned PruneGenerate(const GenerateNode& node, const std::vector<bool>& used) {
  std::vector<bool> child_used(node.child().output.size());
  Pruned pruned;
  std::vector<int> old_kept;
  for (size_t i = 0; i < node.kept.size(); ++i) {
    pruned.places.push_back(used[i] ? static_cast<int>(old_kept.size()) : -1);
    if (!used[i]) continue;
    old_kept.push_back(node.kept[i]);
    child_used[node.kept[i]] = true;
  }
  for (size_t i = 0; i < node.generated.size(); ++i) {
    pruned.places.push_back(static_cast<int>(old_kept.size() + i));
  }
  Collect(node.args, &child_used);
  const Pruned child = Prune(node.children[0], std::move(child_used));
  std::vector<int> kept;
  kept.reserve(old_kept.size());
  for (int column : old_kept) kept.push_back(child.places[column]);
  pruned.plan = MakeGenerate(child.plan, node.function, Move(node.args, child), std::move(kept),
                             node.generated, node.span);
  return pruned;
}

Pruned PruneAggregate(const AggregateNode& node, const std::vector<bool>& used) {
  std::vector<bool> child_used(node.child().output.size());
  Collect(node.keys, &child_used);
  Pruned pruned;
  std::vector<AggregateCall> calls;
  for (size_t i = 0; i < node.keys.size(); ++i) pruned.places.push_back(static_cast<int>(i));
  for (size_t i = 0; i < node.calls.size(); ++i) {
    const size_t column = node.keys.size() + i;
    pruned.places.push_back(used[column] ? static_cast<int>(node.keys.size() + calls.size()) : -1);
    // A global aggregation keeps one result, so that its row has a column.
    const bool is_only = node.keys.empty() && calls.empty() && i + 1 == node.calls.size();
    if (!used[column] && !is_only) continue;
    calls.push_back(node.calls[i]);
    Collect(node.calls[i].args, &child_used);
  }
  const Pruned child = Prune(node.children[0], std::move(child_used));
  for (AggregateCall& call : calls) call.args = Move(call.args, child);
  pruned.plan = MakeAggregate(child.plan, Move(node.keys, child), std::move(calls),
                              node.event_times, node.span);
  pruned.plan = WithSessionKey(std::move(pruned.plan), node.session_key);
  return pruned;
}

Pruned PruneFilter(const FilterNode& node, std::vector<bool> used) {
  CollectColumns(*node.condition, &used);
  Pruned child = Prune(node.children[0], std::move(used));
  ExprPtr condition = Move(node.condition, child);
  child.plan = MakeFilter(child.plan, std::move(condition), node.span);
  return child;
}

Pruned PruneSort(const SortNode& node, std::vector<bool> used) {
  for (const SortKey& key : node.keys) CollectColumns(*key.expr, &used);
  Pruned child = Prune(node.children[0], std::move(used));
  std::vector<SortKey> keys = node.keys;
  for (SortKey& key : keys) key.expr = Move(key.expr, child);
  child.plan = MakeSort(child.plan, std::move(keys), node.span);
  return child;
}

// The used columns alone, in their order.
LogicalPlanPtr Narrow(const LogicalPlanPtr& plan, const std::vector<bool>& used) {
  const Pruned child = Prune(plan, used);
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  bool is_exact = true;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const int place = child.places[i];
    const PlanField& field = child.plan->output[place];
    is_exact = is_exact && place == static_cast<int>(exprs.size());
    exprs.push_back(MakeColumn(place, field.name, field.type));
    fields.push_back(field);
  }
  is_exact = is_exact && exprs.size() == child.plan->output.size();
  if (is_exact) return child.plan;
  return MakeProject(child.plan, std::move(exprs), std::move(fields), plan->span);
}

Pruned PruneUnion(const UnionNode& node, const std::vector<bool>& used) {
  Pruned pruned;
  int kept = 0;
  for (const bool is_used : used) pruned.places.push_back(is_used ? kept++ : -1);
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : node.children) children.push_back(Narrow(child, used));
  pruned.plan = MakeUnion(std::move(children), node.span);
  return pruned;
}

Pruned PruneJoin(const JoinNode& node, const std::vector<bool>& used) {
  const size_t left_width = node.left().output.size();
  std::vector<bool> needed = used;
  needed.resize(left_width + node.right().output.size());
  if (node.condition != nullptr) CollectColumns(*node.condition, &needed);
  const auto middle = needed.begin() + static_cast<std::ptrdiff_t>(left_width);
  const Pruned left = Prune(node.children[0], {needed.begin(), middle});
  const Pruned right = Prune(node.children[1], {middle, needed.end()});
  Pruned both{nullptr, left.places};
  const auto offset = static_cast<int>(left.plan->output.size());
  for (const int place : right.places) both.places.push_back(place < 0 ? -1 : place + offset);
  ExprPtr condition = node.condition;
  if (condition != nullptr) {
    // Only the columns count here.
    const Pruned inputs{MakeJoin(left.plan, right.plan, JoinType::kInner, nullptr, node.span),
                        both.places};
    condition = Move(condition, inputs);
  }
  both.plan = WithCondition(node, {left.plan, right.plan}, node.type, std::move(condition));
  both.places.resize(used.size());
  return both;
}

Pruned PruneDeduplicate(const DeduplicateNode& node, std::vector<bool> used) {
  for (const int column : node.columns) used[column] = true;
  if (node.within_watermark) used[EventTimeColumn(node.child().output)] = true;
  Pruned child = Prune(node.children[0], std::move(used));
  std::vector<int> columns;
  for (const int column : node.columns) columns.push_back(child.places[column]);
  child.plan = MakeDeduplicate(child.plan, std::move(columns), node.within_watermark, node.span);
  return child;
}

// Takes a column of the plan before pruning out of the plan's output, unless it is the only one.
Pruned Hide(Pruned pruned, int column) {
  const int hidden = pruned.places[column];
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  const std::vector<PlanField>& output = pruned.plan->output;
  for (int i = 0; i < static_cast<int>(output.size()); ++i) {
    if (i == hidden) continue;
    exprs.push_back(MakeColumn(i, output[i].name, output[i].type));
    fields.push_back(output[i]);
  }
  if (exprs.empty()) return pruned;
  for (int& place : pruned.places) place = place == hidden ? -1 : place - (place > hidden ? 1 : 0);
  const Span span = pruned.plan->span;
  pruned.plan = MakeProject(pruned.plan, std::move(exprs), std::move(fields), span);
  return pruned;
}

// Who reads no event time does not learn what is late, as in Spark, whose column pruning takes the
// column away above EventTimeWatermark.
Pruned PruneWithWatermark(const WithWatermarkNode& node, std::vector<bool> used) {
  const bool is_read = used[node.column];
  used[node.column] = true;
  Pruned child = Prune(node.children[0], std::move(used));
  child.plan = MakeWithWatermark(child.plan, child.places[node.column], node.delay_us,
                                 node.definition, node.span);
  return is_read ? child : Hide(std::move(child), node.column);
}

// All calls stay: who does not read one does not write one.
Pruned PruneWindow(const WindowNode& node, std::vector<bool> used) {
  std::vector<SortKey> order = node.order;
  std::vector<WindowCall> calls = node.calls;
  used.resize(node.child().output.size());
  for (const int column : node.partition) used[column] = true;
  ForEachExpr(&order, &calls, [&used](ExprPtr* expr) { CollectColumns(**expr, &used); });
  Pruned child = Prune(node.children[0], std::move(used));
  ForEachExpr(&order, &calls, [&child](ExprPtr* expr) { *expr = Move(*expr, child); });
  std::vector<int> partition;
  for (const int column : node.partition) partition.push_back(child.places[column]);
  const auto width = static_cast<int>(child.plan->output.size());
  for (int i = 0; i < static_cast<int>(calls.size()); ++i) child.places.push_back(width + i);
  child.plan =
      MakeWindow(child.plan, std::move(partition), std::move(order), std::move(calls), node.span);
  return child;
}

Pruned Prune(const LogicalPlanPtr& plan, std::vector<bool> used) {
  used.resize(plan->output.size());
  switch (plan->kind) {
    case Kind::kOneRow:
      return {plan, {}};
    case Kind::kRead:
      return PruneRead(As<ReadNode>(*plan), used);
    case Kind::kSubqueryAlias: {
      Pruned child = Prune(plan->children[0], std::move(used));
      child.plan = MakeSubqueryAlias(child.plan, As<SubqueryAliasNode>(*plan).alias, plan->span);
      return child;
    }
    case Kind::kFilter:
      return PruneFilter(As<FilterNode>(*plan), std::move(used));
    case Kind::kProject:
      return PruneProject(As<ProjectNode>(*plan), used);
    case Kind::kGenerate:
      return PruneGenerate(As<GenerateNode>(*plan), used);
    case Kind::kAggregate:
      return PruneAggregate(As<AggregateNode>(*plan), used);
    case Kind::kSort:
      return PruneSort(As<SortNode>(*plan), std::move(used));
    case Kind::kLimit: {
      Pruned child = Prune(plan->children[0], std::move(used));
      child.plan = MakeLimit(child.plan, As<LimitNode>(*plan).count, As<LimitNode>(*plan).offset,
                             plan->span);
      return child;
    }
    case Kind::kUnion:
      return PruneUnion(As<UnionNode>(*plan), used);
    case Kind::kJoin:
      return PruneJoin(As<JoinNode>(*plan), used);
    case Kind::kDeduplicate:
      return PruneDeduplicate(As<DeduplicateNode>(*plan), std::move(used));
    case Kind::kWithWatermark:
      return PruneWithWatermark(As<WithWatermarkNode>(*plan), std::move(used));
    case Kind::kWindow:
      return PruneWindow(As<WindowNode>(*plan), std::move(used));
    case Kind::kRefused:
      break;
  }
  TIDEMILL_CHECK(false);
  return {};  // Never: for compilers that do not see it under a sanitizer.
}

}  // namespace

LogicalPlanPtr PruneColumns(const LogicalPlanPtr& plan) {
  return Prune(plan, std::vector<bool>(plan->output.size(), true)).plan;
}

}  // namespace tidemill::driver
