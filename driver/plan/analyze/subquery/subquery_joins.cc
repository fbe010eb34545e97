#include "driver/plan/analyze/subquery/subquery_joins.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/analyze/subquery/apply.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

ExprPtr One(Span span) { return MakeLiteral(std::make_shared<arrow::Int32Scalar>(1), span); }
ExprPtr Zero(Span span) { return LongLiteral(0, span); }
ExprPtr Truth(bool value, Span span) {
  return MakeLiteral(std::make_shared<arrow::BooleanScalar>(value), span);
}

bool GivesOneRowAtMost(const LogicalPlan& plan) {
  switch (plan.kind) {
    case Kind::kAggregate:
      return As<AggregateNode>(plan).keys.empty();
    case Kind::kLimit:
      return As<LimitNode>(plan).count <= 1 || GivesOneRowAtMost(plan.child());
    case Kind::kProject:
    case Kind::kFilter:
    case Kind::kSort:
    case Kind::kSubqueryAlias:
      return GivesOneRowAtMost(plan.child());
    default:
      return false;
  }
}

// A SELECT without FROM may name columns of the query around anywhere.
bool IsWithoutFrom(const LogicalPlan& plan) {
  if (plan.kind == Kind::kRead) return plan.output.empty();
  return (plan.kind == Kind::kProject || plan.kind == Kind::kSubqueryAlias) &&
         IsWithoutFrom(plan.child());
}

// What Spark refuses in expressions stays refused.
bool MayApply(const LogicalPlan& plan, const arrow::Status& refusal) {
  const std::string error_class = ErrorClassOf(refusal);
  if (error_class.ends_with(".CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE")) return true;
  return error_class.ends_with(".CORRELATED_REFERENCE") && IsWithoutFrom(plan);
}

// With the values of missing groups, a missing key must tell that the group is missing.
bool HasEqualitiesOnly(const Decorrelated& query) {
  return std::all_of(query.conditions.begin(), query.conditions.end(),
                     [&](const ExprPtr& condition) {
                       const CorrelatedEquality equality = EqualityOf(*condition);
                       if (equality.inner == nullptr) return false;
                       const bool is_marker =
                           !equality.is_null_safe && equality.inner->kind == Expr::Kind::kColumn;
                       return query.empty_values.empty() || is_marker;
                     });
}

// The plan grouped by `keys`, with these calls.
arrow::Result<LogicalPlanPtr> Grouped(LogicalPlanPtr plan, std::vector<ExprPtr> keys,
                                      const std::vector<std::pair<std::string, ExprPtr>>& calls,
                                      Span span) {
  std::vector<AggregateCall> made;
  for (const auto& [name, arg] : calls) {
    ARROW_ASSIGN_OR_RAISE(AggregateCall call, MakeAggregateCall(name, {arg}, span));
    made.push_back(std::move(call));
  }
  return MakeAggregate(std::move(plan), std::move(keys), std::move(made), span);
}

}  // namespace

ExprPtr FromOuter(const ExprPtr& expr) {
  if (expr->kind == Expr::Kind::kColumn) {
    const int column = expr->column >= kOuterColumns ? expr->column - kOuterColumns : expr->column;
    return MakeColumn(column, expr->name, expr->type, expr->span);
  }
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = FromOuter(arg);
  return copy;
}

arrow::Result<LogicalPlanPtr> WithoutStreams(LogicalPlanPtr plan, Span span) {
  if (!IsStreaming(plan)) return DropHiddenColumns(std::move(plan), span);
  return QueryError("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
                    "Invalid subquery: Streaming query is not allowed in subquery expressions.",
                    span);
}

arrow::Result<Decorrelated> AnalyzeSubquery(const sql::Query& query, const NameScope& names,
                                            const QueryScope& scope, SubqueryForm form) {
  OuterScope outer{names};
  QueryScope inner = scope;
  inner.outer = &outer;
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, AnalyzeIn(query, inner));
  ARROW_ASSIGN_OR_RAISE(plan, WithoutStreams(std::move(plan), query.span));
  const size_t width = plan->output.size();
  if (!outer.was_used) {
    Decorrelated uncorrelated{plan};
    uncorrelated.width = width;
    uncorrelated.gives_one_row = GivesOneRowAtMost(*plan);
    return uncorrelated;
  }
  arrow::Result<Decorrelated> decorrelated = Decorrelate(plan);
  if (!decorrelated.ok() && !MayApply(*plan, decorrelated.status())) return decorrelated.status();
  const bool is_done = decorrelated.ok() &&
                       (!form.equalities_only || HasEqualitiesOnly(*decorrelated)) &&
                       (!form.no_empty_values || decorrelated->empty_values.empty());
  if (!is_done) {
    ARROW_ASSIGN_OR_RAISE(decorrelated, ApplyToDomain(plan, names.fields()));
    decorrelated->gives_one_row = GivesOneRowAtMost(*plan);
  } else {
    decorrelated->gives_one_row = !decorrelated->empty_values.empty();
  }
  decorrelated->width = width;
  return decorrelated;
}

arrow::Status CheckInWidth(const sql::AstExpr& ast, const std::vector<ExprPtr>& left,
                           size_t num_columns) {
  if (left.size() == num_columns) return arrow::Status::OK();
  return QueryError("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
                    fmt::format("Cannot resolve the IN subquery due to data type mismatch: The "
                                "number of columns in the left hand side of an IN subquery does "
                                "not match the number of columns in the output of subquery. Left "
                                "hand side columns(length: {}), right hand side columns(length: "
                                "{}).",
                                left.size(), num_columns),
                    ast.span);
}

arrow::Result<ExprPtr> SubqueryJoins::Add(const sql::AstExpr& ast, ExprBinder* binder) {
  if (binder->is_in_aggregate()) {
    return NotSupportedYet("SUBQUERY_IN_AGGREGATE", "a subquery in an aggregate function",
                           ast.span);
  }
  switch (ast.kind) {
    case sql::AstExpr::Kind::kSubquery: {
      ARROW_ASSIGN_OR_RAISE(const ExprPtr value, AddScalar(ast));
      return WithText(value, fmt::format("scalarsubquery({})", last_outer_names_));
    }
    case sql::AstExpr::Kind::kExists: {
      ARROW_ASSIGN_OR_RAISE(const ExprPtr value, AddExists(ast));
      return WithText(value, fmt::format("exists({})", last_outer_names_));
    }
    case sql::AstExpr::Kind::kCall:
      return AddIn(ast.args[0], /*is_negated=*/true, binder);
    default:
      return AddIn(ast, /*is_negated=*/false, binder);
  }
}

std::string SubqueryJoins::InText(const Expr& left, bool is_negated) const {
  return fmt::format(
      fmt::runtime(is_negated ? "(NOT ({} IN (listquery({}))))" : "({} IN (listquery({})))"),
      ExprText(left), last_outer_names_);
}

std::vector<CorrelatedEquality> SubqueryJoins::Equalities(const Decorrelated& query) {
  std::vector<CorrelatedEquality> equalities;
  last_outer_names_.clear();
  for (const ExprPtr& condition : query.conditions) {
    CorrelatedEquality equality = EqualityOf(*condition);
    equality.outer = FromOuter(equality.outer);
    last_outer_names_ += (last_outer_names_.empty() ? "" : ", ") + ExprText(*equality.outer);
    equalities.push_back(std::move(equality));
  }
  return equalities;
}

void SubqueryJoins::AddJoin(PendingJoin join) {
  last_begin_ = width_;
  width_ += static_cast<int>(join.right->output.size());
  joins_.push_back(std::move(join));
}

ExprPtr SubqueryJoins::Column(int column, Span span) const {
  const PlanField& field = joins_.back().right->output[column];
  return MakeColumn(kSubqueryColumns + last_begin_ + column, field.name, field.type, span);
}

arrow::Result<ExprPtr> SubqueryJoins::AddScalar(const sql::AstExpr& ast) {
  const Span span = ast.span;
  ARROW_ASSIGN_OR_RAISE(Decorrelated query,
                        AnalyzeSubquery(*ast.query, names_, scope_, {.equalities_only = true}));
  if (query.width != 1) {
    return QueryError(
        "INVALID_SUBQUERY_EXPRESSION."
        "SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        fmt::format("Invalid subquery: Scalar subquery must return only one column, "
                    "but got {}.",
                    query.width),
        span);
  }
  const std::vector<CorrelatedEquality> equalities = Equalities(query);
  PendingJoin join{query.plan,
                   {},
                   span,
                   query.domain,
                   query.outer_columns,
                   /*is_correlated_scalar=*/!equalities.empty()};
  if (query.gives_one_row) {
    join.keys = equalities;
    AddJoin(std::move(join));
    ExprPtr value = Column(0, span);
    if (query.empty_values.empty() || query.empty_values[0] == nullptr) return value;
    // No group for the key: count() is 0, not NULL.
    const ExprPtr& key = equalities[0].inner;
    ARROW_ASSIGN_OR_RAISE(ExprPtr is_missing,
                          MakeCall("isnull", {Column(key->column, span)}, span));
    return MakeCall("if", {std::move(is_missing), query.empty_values[0], std::move(value)}, span);
  }
  if (HasMap(*query.plan->output[0].type)) {
    return NotSupportedYet("MAP_FROM_SUBQUERY", "a map from a subquery", span);
  }
  // One row for each key: the value, which is the highest of one, and how many there are.
  std::vector<ExprPtr> keys;
  for (const CorrelatedEquality& key : equalities) {
    join.keys.push_back({MakeColumn(static_cast<int>(keys.size()), "key", key.inner->type, span),
                         key.outer, key.is_null_safe});
    keys.push_back(key.inner);
  }
  const auto num_keys = static_cast<int>(keys.size());
  ARROW_ASSIGN_OR_RAISE(
      join.right, Grouped(query.plan, std::move(keys),
                          {{"max", ColumnAt(*query.plan, 0, span)}, {"count", One(span)}}, span));
  AddJoin(std::move(join));
  return MakeCall("$single_row", {Column(num_keys, span), Column(num_keys + 1, span)}, span);
}

arrow::Result<ExprPtr> SubqueryJoins::AddExists(const sql::AstExpr& ast) {
  const Span span = ast.span;
  ARROW_ASSIGN_OR_RAISE(const Decorrelated query,
                        AnalyzeSubquery(*ast.query, names_, scope_, {.equalities_only = true}));
  const std::vector<CorrelatedEquality> equalities = Equalities(query);
  PendingJoin join{nullptr, {}, span, query.domain, query.outer_columns};
  std::vector<ExprPtr> keys;
  for (const CorrelatedEquality& key : equalities) {
    join.keys.push_back({MakeColumn(static_cast<int>(keys.size()), "key", key.inner->type, span),
                         key.outer, key.is_null_safe});
    keys.push_back(key.inner);
  }
  if (!query.empty_values.empty()) return Truth(true, span);
  const auto num_keys = static_cast<int>(keys.size());
  ARROW_ASSIGN_OR_RAISE(join.right,
                        Grouped(query.plan, std::move(keys), {{"count", One(span)}}, span));
  AddJoin(std::move(join));
  ARROW_ASSIGN_OR_RAISE(ExprPtr count,
                        MakeCall("coalesce", {Column(num_keys, span), Zero(span)}, span));
  return MakeCall(">", {std::move(count), Zero(span)}, span);
}

// Whether a row equals x, and for NOT IN that none does nor might (x or a row is NULL). As in Spark
// neither is ever NULL.
arrow::Result<ExprPtr> SubqueryJoins::AddIn(const sql::AstExpr& ast, bool is_negated,
                                            ExprBinder* binder) {
  const Span span = ast.span;
  ARROW_ASSIGN_OR_RAISE(std::vector<ExprPtr> left, binder->BindAll(ast.args));
  ARROW_ASSIGN_OR_RAISE(const Decorrelated query,
                        AnalyzeSubquery(*ast.query, names_, scope_,
                                        {.equalities_only = true, .no_empty_values = true}));
  const std::vector<CorrelatedEquality> equalities = Equalities(query);
  ARROW_RETURN_NOT_OK(CheckInWidth(ast, left, query.width));
  if (left.size() != 1) {
    return NotSupportedYet("IN_SUBQUERY_OF_SEVERAL_COLUMNS",
                           "NOT IN or a nested IN with several columns", span);
  }
  const ExprPtr inner = ColumnAt(*query.plan, 0, span);
  PendingJoin counts{nullptr, {}, span, query.domain, query.outer_columns};
  PendingJoin matches{nullptr, {}, span, query.domain, query.outer_columns};
  std::vector<ExprPtr> keys;
  for (const CorrelatedEquality& key : equalities) {
    const auto place = static_cast<int>(keys.size());
    counts.keys.push_back(
        {MakeColumn(place, "key", key.inner->type, span), key.outer, key.is_null_safe});
    keys.push_back(key.inner);
  }
  const auto num_keys = static_cast<int>(keys.size());
  matches.keys = counts.keys;
  matches.keys.push_back({MakeColumn(num_keys, "value", inner->type, span), left[0]});
  ARROW_ASSIGN_OR_RAISE(counts.right,
                        Grouped(query.plan, keys, {{"count", One(span)}, {"count", inner}}, span));
  keys.push_back(inner);
  ARROW_ASSIGN_OR_RAISE(matches.right, Grouped(query.plan, std::move(keys), {}, span));

  AddJoin(std::move(counts));
  const ExprPtr rows = Column(num_keys, span);
  const ExprPtr values = Column(num_keys + 1, span);
  AddJoin(std::move(matches));
  const ExprPtr match = Column(num_keys, span);
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_match, MakeCall("isnotnull", {match}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr known, MakeCall("coalesce", {rows, Zero(span)}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_empty, MakeCall("=", {std::move(known), Zero(span)}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr has_null, MakeCall("!=", {rows, values}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_null, MakeCall("isnull", {left[0]}, span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr is_unknown,
                        MakeCall("or", {std::move(is_null), std::move(has_null)}, span));
  ARROW_ASSIGN_OR_RAISE(
      const ExprPtr value,
      MakeCall("case",
               {std::move(is_match), Truth(!is_negated, span), std::move(is_empty),
                Truth(is_negated, span), std::move(is_unknown), Truth(false, span),
                Truth(is_negated, span)},
               span));
  return WithText(value, InText(*left[0], is_negated));
}

arrow::Result<LogicalPlanPtr> SubqueryJoins::RightSide(
    const PendingJoin& join, const LogicalPlanPtr& base,
    const std::function<arrow::Result<ExprPtr>(const ExprPtr&)>& relocate) const {
  if (join.domain == nullptr) return join.right;
  std::vector<ExprPtr> keys;
  for (const int column : join.outer_columns) {
    const PlanField& field = names_.fields()[column];
    ARROW_ASSIGN_OR_RAISE(keys.emplace_back(),
                          relocate(MakeColumn(column, field.name, field.type, join.span)));
  }
  return OverDistinctRows(join.right, join.domain, base, std::move(keys), join.span);
}

arrow::Result<LogicalPlanPtr> SubqueryJoins::Join(
    LogicalPlanPtr plan,
    const std::function<arrow::Result<ExprPtr>(const ExprPtr&)>& relocate) const {
  const LogicalPlanPtr base = plan;
  for (const PendingJoin& join : joins_) {
    const auto width = static_cast<int>(plan->output.size());
    std::vector<ExprPtr> conditions;
    for (const CorrelatedEquality& key : join.keys) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr left, relocate(key.outer));
      ARROW_ASSIGN_OR_RAISE(
          ExprPtr equality,
          MakeCall(key.is_null_safe ? "<=>" : "=",
                   {std::move(left), ShiftColumns(key.inner, -width)}, join.span));
      conditions.push_back(std::move(equality));
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conditions));
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr right, RightSide(join, base, relocate));
    plan = MakeJoin(std::move(plan), std::move(right), JoinType::kLeft, std::move(condition),
                    join.span);
    if (!join.is_correlated_scalar) plan = AsSubquery(std::move(plan));
  }
  return plan;
}

}  // namespace tidemill::driver
