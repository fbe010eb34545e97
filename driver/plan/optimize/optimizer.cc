#include "driver/plan/optimize/optimizer.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include "common/expr/evaluator.h"
#include "common/expr/expr.h"
#include "common/expr/function_registry.h"
#include "driver/plan/optimize/column_pruning.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using ExprMap = std::function<ExprPtr(const ExprPtr&)>;
using Exprs = std::vector<ExprPtr>;

constexpr int kMaxPasses = 100;

// Their value belongs to the epoch, not to the plan.
constexpr std::array<std::string_view, 6> kEpochFunctions = {
    "current_timestamp", "now", "current_date", "curdate", "localtimestamp", "unix_timestamp"};

// The same node over another child of the same width, its expressions mapped.
LogicalPlanPtr Rebuild(const LogicalPlan& plan, LogicalPlanPtr child, const ExprMap& map) {
  auto mapped = [&](Exprs exprs) {
    for (ExprPtr& expr : exprs) expr = map(expr);
    return exprs;
  };
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
      return MakeProject(std::move(child), mapped(As<ProjectNode>(plan).exprs), plan.output,
                         plan.span);
    case Kind::kGenerate: {
      const auto& node = As<GenerateNode>(plan);
      return MakeGenerate(std::move(child), node.function, mapped(node.args), node.kept,
                          node.generated, plan.span);
    }
    case Kind::kAggregate: {
      std::vector<AggregateCall> calls = As<AggregateNode>(plan).calls;
      for (AggregateCall& call : calls) call.args = mapped(std::move(call.args));
      return MakeAggregate(std::move(child), mapped(As<AggregateNode>(plan).keys), std::move(calls),
                           plan.span);
    }
    case Kind::kSort: {
      std::vector<SortKey> keys = As<SortNode>(plan).keys;
      for (SortKey& key : keys) key.expr = map(key.expr);
      return MakeSort(std::move(child), std::move(keys), plan.span);
    }
    case Kind::kLimit:
      return MakeLimit(std::move(child), As<LimitNode>(plan).count, plan.span);
  }
  return nullptr;
}

ExprPtr Unchanged(const ExprPtr& expr) { return expr; }

bool IsBooleanLiteral(const Expr& expr, bool value) {
  return expr.kind == Expr::Kind::kLiteral && expr.type->id() == arrow::Type::BOOL &&
         expr.literal->is_valid &&
         static_cast<const arrow::BooleanScalar&>(*expr.literal).value == value;
}

// Folds what is constant, inside out. The epoch's functions and nested values (which the plan
// writes as calls) stay; so does what fails, to fail on a row as in Spark.
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
  const bool is_constant =
      !copy->args.empty() && copy->type->num_fields() == 0 && IsDeterministic(*copy) &&
      std::find(kEpochFunctions.begin(), kEpochFunctions.end(), copy->name) ==
          kEpochFunctions.end() &&
      std::all_of(copy->args.begin(), copy->args.end(),
                  [](const ExprPtr& arg) { return arg->kind == Expr::Kind::kLiteral; });
  if (!is_constant) return copy;
  const ExprPtr folded = FoldConstant(copy, context);
  const bool is_literal = folded != nullptr && folded->kind == Expr::Kind::kLiteral &&
                          folded->type->Equals(*copy->type);
  return is_literal ? MakeLiteral(folded->literal, copy->span) : copy;
}

// Costs nothing to compute twice.
bool IsCheap(const Expr& expr) {
  if (expr.kind != Expr::Kind::kCall) return true;
  return expr.name == "get_field" && IsCheap(*expr.args[0]);
}

void CountUses(const Expr& expr, std::vector<int>* uses) {
  if (expr.kind == Expr::Kind::kColumn) ++(*uses)[expr.column];
  for (const ExprPtr& arg : expr.args) CountUses(*arg, uses);
}

// Whether the expressions of a projection may move into the expressions above that use them: none
// is computed twice, none is drawn at random.
bool CanInline(const ProjectNode& project, const Exprs& users) {
  std::vector<int> uses(project.exprs.size());
  for (const ExprPtr& user : users) CountUses(*user, &uses);
  for (size_t i = 0; i < uses.size(); ++i) {
    if (!IsDeterministic(*project.exprs[i])) return false;
    if (uses[i] > 1 && !IsCheap(*project.exprs[i])) return false;
  }
  return true;
}

bool AllDeterministic(const Exprs& exprs) {
  return std::all_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return IsDeterministic(*expr); });
}

void SplitConjuncts(const ExprPtr& condition, Exprs* conjuncts) {
  if (condition->kind == Expr::Kind::kCall && condition->name == "and") {
    for (const ExprPtr& arg : condition->args) SplitConjuncts(arg, conjuncts);
  } else {
    conjuncts->push_back(condition);
  }
}

arrow::Result<ExprPtr> JoinConjuncts(const Exprs& conjuncts) {
  ExprPtr joined = conjuncts.front();
  for (size_t i = 1; i < conjuncts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(joined, MakeCall("and", {joined, conjuncts[i]}, joined->span));
  }
  return joined;
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
      return column < static_cast<int>(keys.size()) ? keys[column] : nullptr;
    }
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
    case Kind::kSort:
      return true;
    default:
      return false;
  }
}

// Filter over `node`: conditions on columns that exist below it move there. Returns the filter
// itself where none does.
arrow::Result<LogicalPlanPtr> PushFilter(const LogicalPlanPtr& plan) {
  const auto& filter = As<FilterNode>(*plan);
  const LogicalPlan& node = filter.child();
  if (!LetsFiltersThrough(node) || !IsDeterministic(*filter.condition)) return plan;
  Exprs replacement;
  for (int i = 0; i < static_cast<int>(node.output.size()); ++i) {
    replacement.push_back(BelowOf(node, i));
  }
  Exprs conjuncts;
  SplitConjuncts(filter.condition, &conjuncts);
  Exprs below;
  Exprs above;
  for (const ExprPtr& conjunct : conjuncts) {
    std::vector<bool> used(node.output.size());
    CollectColumns(*conjunct, &used);
    bool can_move = true;
    for (size_t i = 0; i < used.size(); ++i) can_move = can_move && (!used[i] || replacement[i]);
    (can_move ? below : above)
        .push_back(can_move ? SubstituteColumns(conjunct, replacement) : conjunct);
  }
  if (below.empty()) return plan;
  ARROW_ASSIGN_OR_RAISE(ExprPtr lower, JoinConjuncts(below));
  LogicalPlanPtr pushed =
      Rebuild(node, MakeFilter(node.children[0], std::move(lower), plan->span), Unchanged);
  if (above.empty()) return pushed;
  ARROW_ASSIGN_OR_RAISE(ExprPtr upper, JoinConjuncts(above));
  return MakeFilter(std::move(pushed), std::move(upper), plan->span);
}

arrow::Result<LogicalPlanPtr> RewriteFilter(const LogicalPlanPtr& plan) {
  const auto& filter = As<FilterNode>(*plan);
  if (IsBooleanLiteral(*filter.condition, true)) return plan->children[0];
  if (filter.child().kind != Kind::kFilter) return PushFilter(plan);
  const auto& lower = As<FilterNode>(filter.child());
  ARROW_ASSIGN_OR_RAISE(
      ExprPtr both, MakeCall("and", {lower.condition, filter.condition}, filter.condition->span));
  return MakeFilter(lower.children[0], std::move(both), plan->span);
}

// All columns of the child as they are; other names do not matter, expressions go by index.
bool IsIdentity(const ProjectNode& node) {
  const std::vector<PlanField>& below = node.child().output;
  if (node.exprs.size() != below.size()) return false;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    const Expr& expr = *node.exprs[i];
    if (expr.kind != Expr::Kind::kColumn || expr.column != static_cast<int>(i)) return false;
  }
  return true;
}

LogicalPlanPtr RewriteProject(const LogicalPlanPtr& plan) {
  const auto& node = As<ProjectNode>(*plan);
  if (IsIdentity(node)) return plan->children[0];
  if (node.child().kind != Kind::kProject) return plan;
  const auto& lower = As<ProjectNode>(node.child());
  if (!CanInline(lower, node.exprs)) return plan;
  return Rebuild(*plan, lower.children[0],
                 [&](const ExprPtr& expr) { return SubstituteColumns(expr, lower.exprs); });
}

LogicalPlanPtr RewriteAggregate(const LogicalPlanPtr& plan) {
  const auto& node = As<AggregateNode>(*plan);
  if (node.child().kind != Kind::kProject) return plan;
  const auto& project = As<ProjectNode>(node.child());
  Exprs users = node.keys;
  for (const AggregateCall& call : node.calls) {
    users.insert(users.end(), call.args.begin(), call.args.end());
  }
  if (!CanInline(project, users)) return plan;
  return Rebuild(*plan, project.children[0],
                 [&](const ExprPtr& expr) { return SubstituteColumns(expr, project.exprs); });
}

// Takes a projection into the generator's arguments, where what is kept are columns in their order.
LogicalPlanPtr RewriteGenerate(const LogicalPlanPtr& plan) {
  const auto& node = As<GenerateNode>(*plan);
  if (node.child().kind != Kind::kProject) return plan;
  const auto& project = As<ProjectNode>(node.child());
  if (!CanInline(project, node.args)) return plan;
  std::vector<int> kept;
  for (int column : node.kept) {
    const Expr& expr = *project.exprs[column];
    if (expr.kind != Expr::Kind::kColumn) return plan;
    if (!kept.empty() && kept.back() >= expr.column) return plan;
    kept.push_back(expr.column);
  }
  Exprs args;
  for (const ExprPtr& arg : node.args) args.push_back(SubstituteColumns(arg, project.exprs));
  return MakeGenerate(project.children[0], node.function, std::move(args), std::move(kept),
                      node.generated, plan->span);
}

arrow::Result<LogicalPlanPtr> RewriteNode(const LogicalPlanPtr& plan) {
  switch (plan->kind) {
    case Kind::kSubqueryAlias:
      return plan->children[0];
    case Kind::kFilter:
      return RewriteFilter(plan);
    case Kind::kProject:
      return RewriteProject(plan);
    case Kind::kAggregate:
      return RewriteAggregate(plan);
    case Kind::kGenerate:
      return RewriteGenerate(plan);
    default:
      return plan;
  }
}

// One pass from the top down; `changed` says whether any rule did something.
arrow::Result<LogicalPlanPtr> RewriteOnce(LogicalPlanPtr plan, bool* changed) {
  for (int i = 0; i < kMaxPasses; ++i) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr rewritten, RewriteNode(plan));
    if (rewritten == plan) break;
    plan = std::move(rewritten);
    *changed = true;
  }
  if (plan->children.empty()) return plan;
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, RewriteOnce(plan->children[0], changed));
  if (child == plan->children[0]) return plan;
  return Rebuild(*plan, std::move(child), Unchanged);
}

arrow::Result<LogicalPlanPtr> Rewrite(LogicalPlanPtr plan) {
  bool changed = true;
  for (int i = 0; changed && i < kMaxPasses; ++i) {
    changed = false;
    ARROW_ASSIGN_OR_RAISE(plan, RewriteOnce(std::move(plan), &changed));
  }
  return plan;
}

LogicalPlanPtr FoldAll(const LogicalPlanPtr& plan, const EvalContext& context) {
  LogicalPlanPtr child;
  if (!plan->children.empty()) child = FoldAll(plan->children[0], context);
  return Rebuild(*plan, std::move(child), [&](const ExprPtr& expr) { return Fold(expr, context); });
}

// The rules above lose names of columns; the result gets its own back.
LogicalPlanPtr WithNamesOf(const LogicalPlan& original, LogicalPlanPtr plan) {
  Exprs columns;
  bool is_same = true;
  for (int i = 0; i < static_cast<int>(original.output.size()); ++i) {
    const PlanField& field = plan->output[i];
    is_same = is_same && field.name == original.output[i].name;
    columns.push_back(MakeColumn(i, field.name, field.type));
  }
  if (is_same) return plan;
  if (plan->kind == Kind::kProject) {
    return MakeProject(plan->children[0], As<ProjectNode>(*plan).exprs, original.output,
                       plan->span);
  }
  return MakeProject(std::move(plan), std::move(columns), original.output, original.span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> Optimize(const LogicalPlanPtr& plan,
                                       const std::shared_ptr<const TimeZone>& zone) {
  EvalContext context;
  context.zone = zone;
  context.pool = arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr optimized, Rewrite(FoldAll(plan, context)));
  // Pruning makes projections narrower, which lets more of them be inlined.
  ARROW_ASSIGN_OR_RAISE(optimized, Rewrite(PruneColumns(optimized)));
  return WithNamesOf(*plan, PruneColumns(FoldAll(optimized, context)));
}

}  // namespace tidemill::driver
