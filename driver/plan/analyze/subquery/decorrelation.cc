#include "driver/plan/analyze/subquery/decorrelation.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

bool IsOuter(const Expr& expr) {
  return expr.kind == Expr::Kind::kColumn && expr.column >= kOuterColumns;
}

arrow::Status Unsupported(Span span) {
  return QueryError(
      "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY."
      "CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE",
      "Unsupported subquery expression: Correlated column is not allowed in this "
      "predicate.",
      span, "names of the query around go into WHERE, as equalities");
}

arrow::Status RequireNone(const std::vector<ExprPtr>& exprs) {
  for (const ExprPtr& expr : exprs) {
    if (!HasOuterColumns(*expr)) continue;
    return QueryError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE",
                      fmt::format("Unsupported subquery expression: Expressions referencing the "
                                  "outer query are not supported outside of WHERE/HAVING clauses: "
                                  "{}.",
                                  QuotedSql(ExprText(*expr))),
                      expr->span);
  }
  return arrow::Status::OK();
}

// The expression with its own columns at other places: places[i], or beyond their end `offset`
// further.
ExprPtr Moved(const ExprPtr& expr, const std::vector<int>& places) {
  if (IsOuter(*expr)) return expr;
  if (expr->kind == Expr::Kind::kColumn) {
    return MakeColumn(places[expr->column], expr->name, expr->type, expr->span);
  }
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = Moved(arg, places);
  return copy;
}

void CollectInner(const Expr& expr, std::vector<int>* columns) {
  if (expr.kind == Expr::Kind::kColumn && !IsOuter(expr) &&
      std::find(columns->begin(), columns->end(), expr.column) == columns->end()) {
    columns->push_back(expr.column);
  }
  for (const ExprPtr& arg : expr.args) CollectInner(*arg, columns);
}

// An aggregate function takes rows of one query.
arrow::Status RequireUnmixed(const AggregateCall& call) {
  std::vector<int> columns;
  bool has_outer = false;
  for (const ExprPtr& arg : call.args) {
    CollectInner(*arg, &columns);
    has_outer = has_outer || HasOuterColumns(*arg);
  }
  if (!has_outer || columns.empty()) return arrow::Status::OK();
  return QueryError(
      "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES",
      fmt::format("Unsupported subquery expression: Found an aggregate function in a correlated "
                  "predicate that has both outer and local references, which is not supported: {}.",
                  call.text),
      call.span);
}

// `expr` where its columns have those values.
ExprPtr ValueOf(const ExprPtr& expr, const std::vector<ExprPtr>& values) {
  if (expr->kind == Expr::Kind::kColumn) {
    const bool is_known = expr->column < static_cast<int>(values.size());
    if (is_known && values[expr->column] != nullptr) return values[expr->column];
    return MakeLiteral(arrow::MakeNullScalar(expr->type), expr->span);
  }
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = ValueOf(arg, values);
  return copy;
}

arrow::Result<Decorrelated> OverProject(const ProjectNode& node, Decorrelated child) {
  ARROW_RETURN_NOT_OK(RequireNone(node.exprs));
  std::vector<ExprPtr> exprs = node.exprs;
  std::vector<PlanField> fields = node.output;
  std::vector<int> needed;
  for (const ExprPtr& condition : child.conditions) CollectInner(*condition, &needed);
  std::vector<int> places(child.plan->output.size(), -1);
  for (const int column : needed) {
    const PlanField& field = child.plan->output[column];
    places[column] = static_cast<int>(exprs.size());
    exprs.push_back(MakeColumn(column, field.name, field.type, node.span));
    fields.push_back(field);
  }
  for (ExprPtr& condition : child.conditions) condition = Moved(condition, places);
  if (!child.empty_values.empty()) {
    std::vector<ExprPtr> values;
    for (const ExprPtr& expr : node.exprs) values.push_back(ValueOf(expr, child.empty_values));
    child.empty_values = std::move(values);
  }
  child.plan = MakeProject(child.plan, std::move(exprs), std::move(fields), node.span);
  return child;
}

arrow::Result<Decorrelated> OverAggregate(const AggregateNode& node, Decorrelated child) {
  ARROW_RETURN_NOT_OK(RequireNone(node.keys));
  for (const AggregateCall& call : node.calls) {
    ARROW_RETURN_NOT_OK(RequireUnmixed(call));
    ARROW_RETURN_NOT_OK(RequireNone(call.args));
  }
  if (child.conditions.empty()) {
    child.plan = MakeAggregate(child.plan, node.keys, node.calls, node.span);
    child.empty_values.clear();
    return child;
  }
  // New keys stand behind the old ones, so that results move; a projection restores their places.
  std::vector<ExprPtr> keys = node.keys;
  const auto num_keys = static_cast<int>(node.keys.size());
  const auto num_calls = static_cast<int>(node.calls.size());
  std::vector<ExprPtr> conditions;
  for (const ExprPtr& condition : child.conditions) {
    const CorrelatedEquality equality = EqualityOf(*condition);
    if (equality.inner == nullptr) return Unsupported(condition->span);
    const auto place = static_cast<int>(keys.size()) + num_calls;
    keys.push_back(equality.inner);
    auto moved = std::make_shared<Expr>(*condition);
    for (ExprPtr& arg : moved->args) {
      if (HasOuterColumns(*arg)) continue;
      arg = MakeColumn(place, ExprText(*equality.inner), equality.inner->type, condition->span);
    }
    conditions.push_back(std::move(moved));
  }
  std::vector<ExprPtr> values;
  for (const AggregateCall& call : node.calls) {
    ARROW_ASSIGN_OR_RAISE(values.emplace_back(), EmptyValue(call));
  }
  const auto added = static_cast<int>(keys.size()) - num_keys;
  LogicalPlanPtr plan = MakeAggregate(child.plan, std::move(keys), node.calls, node.span);
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  const auto add = [&](int column) {
    const PlanField& field = plan->output[column];
    exprs.push_back(MakeColumn(column, field.name, field.type, node.span));
    fields.push_back(field);
  };
  for (int i = 0; i < num_keys; ++i) add(i);
  for (int i = 0; i < num_calls; ++i) add(num_keys + added + i);
  for (int i = 0; i < added; ++i) add(num_keys + i);
  plan = MakeProject(std::move(plan), std::move(exprs), std::move(fields), node.span);
  return Decorrelated{std::move(plan), std::move(conditions),
                      num_keys == 0 ? std::move(values) : std::vector<ExprPtr>{}};
}

arrow::Result<Decorrelated> OverFilter(const FilterNode& node, Decorrelated child) {
  std::vector<ExprPtr> conjuncts;
  SplitConjuncts(node.condition, &conjuncts);
  std::vector<ExprPtr> own;
  for (ExprPtr& conjunct : conjuncts) {
    (HasOuterColumns(*conjunct) ? child.conditions : own).push_back(std::move(conjunct));
  }
  if (!child.empty_values.empty()) {
    // HAVING: whether there is a row where there are no rows is not worth knowing.
    if (std::any_of(child.empty_values.begin(), child.empty_values.end(),
                    [](const ExprPtr& value) { return value != nullptr; })) {
      return Unsupported(node.span);
    }
    child.empty_values.clear();
  }
  if (own.empty()) return child;
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(own));
  child.plan = MakeFilter(child.plan, std::move(condition), node.span);
  return child;
}

arrow::Result<Decorrelated> OverJoin(const JoinNode& node) {
  ARROW_ASSIGN_OR_RAISE(Decorrelated left, Decorrelate(node.children[0]));
  ARROW_ASSIGN_OR_RAISE(Decorrelated right, Decorrelate(node.children[1]));
  if (node.condition != nullptr) ARROW_RETURN_NOT_OK(RequireNone({node.condition}));
  const bool is_inner = node.type == JoinType::kInner;
  const bool is_left_kept = is_inner || node.type == JoinType::kLeft ||
                            node.type == JoinType::kLeftSemi || node.type == JoinType::kLeftAnti;
  const bool may_move =
      (left.conditions.empty() || is_left_kept) && (right.conditions.empty() || is_inner);
  if (!may_move) return Unsupported(node.span);
  if (left.conditions.empty() && right.conditions.empty()) {
    return Decorrelated{MakeJoin(left.plan, right.plan, node.type, node.condition, node.span)};
  }
  // The columns that were added to the left would move those of the right: nothing may be added.
  const bool is_same = left.plan->output.size() == node.left().output.size() &&
                       right.plan->output.size() == node.right().output.size();
  if (!is_same) return Unsupported(node.span);
  const auto width = static_cast<int>(node.left().output.size());
  std::vector<int> places(node.right().output.size());
  for (int i = 0; i < static_cast<int>(places.size()); ++i) places[i] = width + i;
  std::vector<ExprPtr> conditions = std::move(left.conditions);
  for (const ExprPtr& condition : right.conditions) conditions.push_back(Moved(condition, places));
  return Decorrelated{MakeJoin(left.plan, right.plan, node.type, node.condition, node.span),
                      std::move(conditions)};
}

// A node through which nothing moves.
arrow::Result<Decorrelated> Barrier(const LogicalPlanPtr& plan) {
  bool is_correlated = false;
  for (const LogicalPlanPtr& child : plan->children) {
    ARROW_ASSIGN_OR_RAISE(const Decorrelated inner, Decorrelate(child));
    is_correlated = is_correlated || !inner.conditions.empty();
  }
  if (is_correlated) return Unsupported(plan->span);
  return Decorrelated{plan};
}

}  // namespace

bool HasOuterColumns(const Expr& expr) {
  return IsOuter(expr) || std::any_of(expr.args.begin(), expr.args.end(),
                                      [](const ExprPtr& arg) { return HasOuterColumns(*arg); });
}

ExprPtr OverBothSides(const ExprPtr& condition, int outer_width) {
  if (condition->kind == Expr::Kind::kColumn) {
    return MakeColumn(
        IsOuter(*condition) ? condition->column - kOuterColumns : condition->column + outer_width,
        condition->name, condition->type, condition->span);
  }
  if (condition->args.empty()) return condition;
  auto copy = std::make_shared<Expr>(*condition);
  for (ExprPtr& arg : copy->args) arg = OverBothSides(arg, outer_width);
  return copy;
}

arrow::Result<ExprPtr> EmptyValue(const AggregateCall& call) {
  const std::string& name = call.signature.name;
  if (name == "collect_list" || name == "collect_set") {
    ARROW_ASSIGN_OR_RAISE(ExprPtr nothing, MakeCall("array", {}, call.span));
    return ImplicitCast(std::move(nothing), call.signature.type);
  }
  const bool is_count = name == "count" || name == "count_if" || name == "regr_count" ||
                        name == "approx_count_distinct";
  if (!is_count) return nullptr;
  return LongLiteral(0, call.span);
}

CorrelatedEquality EqualityOf(const Expr& condition) {
  if (!IsEquality(condition)) return {};
  for (int side = 0; side < 2; ++side) {
    const ExprPtr& inner = condition.args[side];
    const ExprPtr& outer = condition.args[1 - side];
    std::vector<int> columns;
    CollectInner(*outer, &columns);
    if (HasOuterColumns(*inner) || !HasOuterColumns(*outer) || !columns.empty()) continue;
    return {inner, outer, condition.name == "<=>"};
  }
  return {};
}

arrow::Result<Decorrelated> Decorrelate(const LogicalPlanPtr& plan) {
  switch (plan->kind) {
    case Kind::kOneRow:
    case Kind::kRead:
      return Decorrelated{plan};
    case Kind::kJoin:
      return OverJoin(As<JoinNode>(*plan));
    case Kind::kProject:
    case Kind::kAggregate:
    case Kind::kFilter:
    case Kind::kSubqueryAlias:
    case Kind::kSort:
      break;
    case Kind::kGenerate:
      ARROW_RETURN_NOT_OK(RequireNone(As<GenerateNode>(*plan).args));
      return Barrier(plan);
    default:
      return Barrier(plan);
  }
  ARROW_ASSIGN_OR_RAISE(Decorrelated child, Decorrelate(plan->children[0]));
  switch (plan->kind) {
    case Kind::kProject:
      return OverProject(As<ProjectNode>(*plan), std::move(child));
    case Kind::kAggregate:
      return OverAggregate(As<AggregateNode>(*plan), std::move(child));
    case Kind::kFilter:
      return OverFilter(As<FilterNode>(*plan), std::move(child));
    case Kind::kSort:
      // Only a LIMIT above would see the order, and nothing moves through that.
      if (child.conditions.empty()) child.plan = plan;
      return child;
    default:
      child.plan = MakeSubqueryAlias(child.plan, As<SubqueryAliasNode>(*plan).alias, plan->span);
      return child;
  }
}

}  // namespace tidemill::driver
