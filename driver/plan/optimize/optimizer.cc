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
#include "common/types/interval/interval.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/column_pruning.h"
#include "driver/plan/optimize/push_filter.h"
#include "driver/plan/optimize/read_filters.h"
#include "driver/plan/optimize/rebuild.h"
#include "driver/plan/optimize/window_key.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

constexpr int kMaxPasses = 100;

// Their value belongs to the epoch, not to the plan.
constexpr std::array<std::string_view, 6> kEpochFunctions = {
    "current_timestamp", "now", "current_date", "curdate", "localtimestamp", "unix_timestamp"};

bool IsBooleanLiteral(const Expr& expr, bool value) {
  return expr.kind == Expr::Kind::kLiteral && expr.type->id() == arrow::Type::BOOL &&
         expr.literal->is_valid &&
         static_cast<const arrow::BooleanScalar&>(*expr.literal).value == value;
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
  if (const ExprPtr field = FieldOfStruct(*copy)) return field;
  const bool is_constant =
      !copy->args.empty() && HasLiteralForm(*copy->type) && IsDeterministic(*copy) &&
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

arrow::Result<LogicalPlanPtr> RewriteFilter(const LogicalPlanPtr& plan) {
  const auto& filter = As<FilterNode>(*plan);
  if (IsBooleanLiteral(*filter.condition, true)) return plan->children[0];
  if (filter.child().kind == Kind::kRead) return TellReader(plan);
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

arrow::Result<LogicalPlanPtr> RewriteNode(const LogicalPlanPtr& plan) {
  switch (plan->kind) {
    case Kind::kSubqueryAlias:
      return plan->children[0];
    case Kind::kFilter:
      return RewriteFilter(plan);
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
arrow::Result<LogicalPlanPtr> RewriteOnce(LogicalPlanPtr plan, bool* changed) {
  for (int i = 0; i < kMaxPasses; ++i) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr rewritten, RewriteNode(plan));
    if (rewritten == plan) break;
    plan = std::move(rewritten);
    *changed = true;
  }
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), RewriteOnce(child, changed));
  }
  return children == plan->children ? plan : WithChildren(*plan, std::move(children));
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
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) children.push_back(FoldAll(child, context));
  return Rebuild(*plan, std::move(children),
                 [&](const ExprPtr& expr) { return Fold(expr, context); });
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
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr optimized, Rewrite(FoldAll(plan, context)));
  // Pruning makes projections narrower, which lets more of them be inlined.
  ARROW_ASSIGN_OR_RAISE(optimized, Rewrite(PruneColumns(optimized)));
  return WithNamesOf(*plan, WithUnionNames(PruneColumns(FoldAll(optimized, context))));
}

}  // namespace tidemill::driver
