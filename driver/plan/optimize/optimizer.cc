#include "driver/plan/optimize/optimizer.h"

#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <utility>

#include "common/expr/expr.h"
#include "common/expr/function_registry.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/column_pruning.h"
#include "driver/plan/optimize/fold_constants.h"
#include "driver/plan/optimize/infer_filters.h"
#include "driver/plan/optimize/join_filters.h"
#include "driver/plan/optimize/push_filter.h"
#include "driver/plan/optimize/read_filters.h"
#include "driver/plan/optimize/rebuild.h"
#include "driver/plan/optimize/simplify_condition.h"
#include "driver/plan/optimize/subquery_filters.h"
#include "driver/plan/optimize/window_key.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

constexpr int kMaxPasses = 100;

// A member of a struct that the projection makes is that member: nothing else is computed for it.
bool IsMemberOfMade(const Expr& expr, const ProjectNode& project) {
  if (expr.kind != Expr::Kind::kCall || expr.name != "get_field") return false;
  const Expr& base = *expr.args[0];
  if (base.kind != Expr::Kind::kColumn) return false;
  const Expr& made = *project.exprs[base.column];
  return made.kind == Expr::Kind::kCall && made.name == "named_struct";
}

void CountUses(const Expr& expr, const ProjectNode& project, std::vector<int>* uses) {
  if (IsMemberOfMade(expr, project)) return;
  if (expr.kind == Expr::Kind::kColumn) ++(*uses)[expr.column];
  for (const ExprPtr& arg : expr.args) CountUses(*arg, project, uses);
}

// Whether the expressions of a projection may move into the expressions above that use them: none
// is computed twice, none is drawn at random.
bool CanInline(const ProjectNode& project, const Exprs& users) {
  std::vector<int> uses(project.exprs.size());
  for (const ExprPtr& user : users) CountUses(*user, project, &uses);
  for (size_t i = 0; i < uses.size(); ++i) {
    if (!IsDeterministic(*project.exprs[i])) return false;
    if (uses[i] > 1 && !IsCheap(*project.exprs[i])) return false;
  }
  return true;
}

arrow::Result<LogicalPlanPtr> RewriteFilter(const LogicalPlanPtr& plan,
                                            const EvalContext& context) {
  const auto& filter = As<FilterNode>(*plan);
  if (IsBooleanLiteral(*filter.condition, true)) return plan->children[0];
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, SimplifyCondition(filter.condition));
  if (condition != filter.condition) {
    return MakeFilter(plan->children[0], std::move(condition), plan->span);
  }
  if (filter.child().kind == Kind::kRead) return TellReader(plan);
  if (filter.child().kind == Kind::kFilter) return CombineFilters(plan);
  if (filter.child().kind == Kind::kJoin) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr rewritten, EliminateOuterJoin(plan, context));
    if (rewritten != plan) return rewritten;
  }
  return PushFilter(plan);
}

arrow::Result<LogicalPlanPtr> RewriteJoin(const LogicalPlanPtr& plan) {
  const auto& join = As<JoinNode>(*plan);
  if (join.condition != nullptr) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, SimplifyCondition(join.condition));
    if (condition != join.condition) {
      return WithCondition(join, join.children, join.type, std::move(condition));
    }
  }
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr rewritten, PushJoinCondition(plan));
  return rewritten == plan && join.is_subquery ? PushSubquery(plan) : rewritten;
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
  return Rebuild(*plan, {lower.children[0]},
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
  return Rebuild(*plan, {project.children[0]},
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

arrow::Result<LogicalPlanPtr> RewriteNode(const LogicalPlanPtr& plan, const EvalContext& context) {
  switch (plan->kind) {
    case Kind::kSubqueryAlias:
      return plan->children[0];
    case Kind::kFilter:
      return RewriteFilter(plan, context);
    case Kind::kJoin:
      return RewriteJoin(plan);
    case Kind::kProject:
      return RewriteProject(plan);
    case Kind::kAggregate: {
      LogicalPlanPtr rewritten = RewriteAggregate(plan);
      return rewritten == plan ? GroupByWindowStart(plan) : rewritten;
    }
    case Kind::kGenerate:
      return RewriteGenerate(plan);
    default:
      return plan;
  }
}

// One pass from the top down; `changed` says whether any rule did something.
arrow::Result<LogicalPlanPtr> RewriteOnce(LogicalPlanPtr plan, const EvalContext& context,
                                          bool* changed) {
  for (int i = 0; i < kMaxPasses; ++i) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr rewritten, RewriteNode(plan, context));
    if (rewritten == plan) break;
    plan = std::move(rewritten);
    *changed = true;
  }
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), RewriteOnce(child, context, changed));
  }
  return children == plan->children ? plan : WithChildren(*plan, std::move(children));
}

arrow::Result<LogicalPlanPtr> Rewrite(LogicalPlanPtr plan, const EvalContext& context) {
  bool changed = true;
  for (int i = 0; changed && i < kMaxPasses; ++i) {
    changed = false;
    ARROW_ASSIGN_OR_RAISE(plan, RewriteOnce(std::move(plan), context, &changed));
  }
  return plan;
}

// As Catalyst does between two rounds of its other rules: filters are inferred once, then what
// joins say of their sides until there is nothing new.
arrow::Result<LogicalPlanPtr> WithInferredFilters(LogicalPlanPtr plan, const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(plan, InferFilters(plan));
  ARROW_ASSIGN_OR_RAISE(plan, Rewrite(std::move(plan), context));
  for (int i = 0; i < kMaxPasses; ++i) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr extended, PushExtraConditions(plan));
    if (extended == plan) break;
    ARROW_ASSIGN_OR_RAISE(plan, Rewrite(std::move(extended), context));
  }
  ARROW_ASSIGN_OR_RAISE(plan, DropImpliedConditions(plan));
  return Rewrite(PruneColumns(plan), context);
}

// The rules above lose names of columns; the result gets its own back.
LogicalPlanPtr WithNamesOf(const LogicalPlan& original, LogicalPlanPtr plan) {
  Exprs columns = ColumnsOf(plan->output);
  bool is_same = true;
  for (size_t i = 0; i < columns.size(); ++i) {
    is_same = is_same && plan->output[i].name == original.output[i].name;
  }
  if (is_same) return plan;
  if (plan->kind == Kind::kProject) {
    return MakeProject(plan->children[0], As<ProjectNode>(*plan).exprs, original.output,
                       plan->span);
  }
  return MakeProject(std::move(plan), std::move(columns), original.output, original.span);
}

// The branches of a union go where its first one does, under its names.
LogicalPlanPtr WithUnionNames(const LogicalPlanPtr& plan) {
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    children.push_back(WithUnionNames(child));
    if (plan->kind == Kind::kUnion) children.back() = WithNamesOf(*children[0], children.back());
  }
  return children == plan->children ? plan : WithChildren(*plan, std::move(children));
}

}  // namespace

arrow::Result<LogicalPlanPtr> Optimize(const LogicalPlanPtr& plan,
                                       const std::shared_ptr<const TimeZone>& zone) {
  EvalContext context;
  context.zone = zone;
  context.pool = arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr optimized,
                        InferFiltersOfGenerators(FoldConstants(plan, context)));
  ARROW_ASSIGN_OR_RAISE(optimized, Rewrite(std::move(optimized), context));
  // Pruning makes projections narrower, which lets more of them be inlined.
  ARROW_ASSIGN_OR_RAISE(optimized, Rewrite(PruneColumns(optimized), context));
  ARROW_ASSIGN_OR_RAISE(optimized, WithInferredFilters(std::move(optimized), context));
  return WithNamesOf(*plan, WithUnionNames(PruneColumns(FoldConstants(optimized, context))));
}

}  // namespace tidemill::driver
