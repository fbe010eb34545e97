#include "driver/plan/analyze/subquery/apply.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

arrow::Status Unsupported(std::string_view what, Span span) {
  return NotSupportedYet(
      "CORRELATED_SUBQUERY",
      fmt::format("{} in a subquery that names columns of the query around it", what), span);
}

// Calls `visit` for every expression of the node itself.
template <class Visit>
void ForEachExprOf(const LogicalPlanPtr& node, const Visit& visit) {
  if (node->kind == Kind::kRead) return;
  Rebuild(*node, node->children, [&visit](const ExprPtr& expr) {
    visit(*expr);
    return expr;
  });
}

bool IsCorrelated(const LogicalPlanPtr& plan) {
  bool found = false;
  ForEachNode(plan, [&found](const LogicalPlanPtr& node) {
    if (found) return;
    ForEachExprOf(node, [&found](const Expr& expr) { found = found || HasOuterColumns(expr); });
  });
  return found;
}

void CollectOuter(const Expr& expr, std::vector<int>* columns) {
  if (expr.kind == Expr::Kind::kColumn && expr.column >= kOuterColumns) {
    columns->push_back(expr.column - kOuterColumns);
  }
  for (const ExprPtr& arg : expr.args) CollectOuter(*arg, columns);
}

// The row of a SELECT without FROM.
bool IsOneRow(const LogicalPlan& plan) {
  return plan.kind == Kind::kRead && plan.output.empty() &&
         As<ReadNode>(plan).source.format == "values" && As<ReadNode>(plan).source.name == "OneRow";
}

// Columns [begin, begin + count) of the plan.
Exprs Columns(const LogicalPlan& plan, int begin, int count, Span span) {
  Exprs columns;
  for (int i = begin; i < begin + count; ++i) columns.push_back(ColumnAt(plan, i, span));
  return columns;
}

std::vector<int> FirstColumns(int count) {
  std::vector<int> columns(count);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

LogicalPlanPtr Select(LogicalPlanPtr plan, Exprs exprs, Span span) {
  std::vector<PlanField> fields;
  for (const ExprPtr& expr : exprs) {
    const bool is_column = expr->kind == Expr::Kind::kColumn;
    fields.push_back(is_column ? plan->output[expr->column]
                               : PlanField{"", ExprText(*expr), expr->type});
  }
  return MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
}

// Columns [0, width) of both sides are the same row of the domain.
arrow::Result<ExprPtr> SameRow(const LogicalPlan& left, const LogicalPlan& right, int width,
                               Span span) {
  Exprs equalities;
  for (int i = 0; i < width; ++i) {
    const ExprPtr other = ColumnOf(right.output[i], WidthOf(left) + i, span);
    ARROW_ASSIGN_OR_RAISE(equalities.emplace_back(),
                          MakeCall("<=>", {ColumnAt(left, i, span), other}, span));
  }
  return JoinConjuncts(equalities);
}

// `plan` with another node of the same columns in the place of `node`.
LogicalPlanPtr ReplaceNode(const LogicalPlanPtr& plan, const LogicalPlanPtr& node,
                           const LogicalPlanPtr& replacement) {
  if (plan == node) return replacement;
  std::vector<LogicalPlanPtr> children;
  for (const LogicalPlanPtr& child : plan->children) {
    children.push_back(ReplaceNode(child, node, replacement));
  }
  return children == plan->children ? plan : WithChildren(*plan, std::move(children));
}

// The different rows of `keys` over `plan`.
arrow::Result<LogicalPlanPtr> DistinctRows(const LogicalPlanPtr& plan, std::vector<ExprPtr> keys,
                                           Span span) {
  if (IsStreaming(plan)) {
    return NotSupportedYet("STREAMING_CORRELATED_SUBQUERY",
                           "a subquery of this kind that names columns of a stream", span,
                           "equalities in its WHERE may name them");
  }
  for (const ExprPtr& key : keys) {
    if (HasMap(*key->type)) return Unsupported("a MAP", span);
  }
  return MakeAggregate(plan, std::move(keys), {}, span);
}

// A projection does not care how many rows there are: limits move below it.
LogicalPlanPtr LimitBelowProjections(const LogicalPlanPtr& plan) {
  const auto& limit = As<LimitNode>(*plan);
  const LogicalPlanPtr& child = plan->children[0];
  if (child->kind != Kind::kProject && child->kind != Kind::kSubqueryAlias) return plan;
  LogicalPlanPtr moved =
      LimitBelowProjections(MakeLimit(child->children[0], limit.count, limit.offset, plan->span));
  return WithChildren(*child, {std::move(moved)});
}

class Applier {
 public:
  explicit Applier(const std::vector<int>& places) : places_(places) {}

  arrow::Result<LogicalPlanPtr> Run(const LogicalPlanPtr& node, const LogicalPlanPtr& domain) {
    if (IsOneRow(*node)) return domain;
    if (!IsCorrelated(node)) {
      return MakeJoin(domain, node, JoinType::kInner, nullptr, node->span);
    }
    switch (node->kind) {
      case Kind::kSubqueryAlias:
      case Kind::kSort:  // only a limit above would see the order
        return Run(node->children[0], domain);
      case Kind::kProject:
        return OverProject(As<ProjectNode>(*node), domain);
      case Kind::kFilter:
        return OverFilter(As<FilterNode>(*node), domain);
      case Kind::kGenerate:
        return OverGenerate(As<GenerateNode>(*node), domain);
      case Kind::kUnion:
        return OverUnion(*node, domain);
      case Kind::kJoin:
        return OverJoin(As<JoinNode>(*node), domain);
      case Kind::kAggregate:
        return OverAggregate(As<AggregateNode>(*node), domain);
      case Kind::kWindow:
        return OverWindow(As<WindowNode>(*node), domain);
      case Kind::kLimit:
        return OverLimit(node, domain);
      default:
        return Unsupported("this relation", node->span);
    }
  }

 private:
  // The query's own columns stand behind `width` others.
  ExprPtr Placed(const ExprPtr& expr, int width) const {
    if (expr->kind == Expr::Kind::kColumn) {
      const bool is_outer = expr->column >= kOuterColumns;
      return MakeColumn(is_outer ? places_[expr->column - kOuterColumns] : expr->column + width,
                        expr->name, expr->type, expr->span);
    }
    if (expr->args.empty()) return expr;
    auto copy = std::make_shared<Expr>(*expr);
    for (ExprPtr& arg : copy->args) arg = Placed(arg, width);
    return copy;
  }

  Exprs Placed(Exprs exprs, int width) const {
    for (ExprPtr& expr : exprs) expr = Placed(expr, width);
    return exprs;
  }

  arrow::Result<LogicalPlanPtr> OverProject(const ProjectNode& node, const LogicalPlanPtr& domain) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Run(node.children[0], domain));
    const int width = WidthOf(*domain);
    Exprs exprs = Columns(*child, 0, width, node.span);
    std::vector<PlanField> fields(child->output.begin(), child->output.begin() + width);
    for (const ExprPtr& expr : node.exprs) exprs.push_back(Placed(expr, width));
    fields.insert(fields.end(), node.output.begin(), node.output.end());
    return MakeProject(std::move(child), std::move(exprs), std::move(fields), node.span);
  }

  arrow::Result<LogicalPlanPtr> OverFilter(const FilterNode& node, const LogicalPlanPtr& domain) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Run(node.children[0], domain));
    ExprPtr condition = Placed(node.condition, WidthOf(*domain));
    // The pairs of a join are not made first.
    const bool is_pairs = child->kind == Kind::kJoin &&
                          As<JoinNode>(*child).type == JoinType::kInner &&
                          As<JoinNode>(*child).condition == nullptr;
    if (is_pairs && IsDeterministic(*condition)) {
      return MakeJoin(child->children[0], child->children[1], JoinType::kInner,
                      std::move(condition), node.span);
    }
    return MakeFilter(std::move(child), std::move(condition), node.span);
  }

  arrow::Result<LogicalPlanPtr> OverGenerate(const GenerateNode& node,
                                             const LogicalPlanPtr& domain) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Run(node.children[0], domain));
    const int width = WidthOf(*domain);
    std::vector<int> kept = FirstColumns(width);
    for (const int column : node.kept) kept.push_back(width + column);
    return MakeGenerate(std::move(child), node.function, Placed(node.args, width), std::move(kept),
                        node.generated, node.span);
  }

  arrow::Result<LogicalPlanPtr> OverUnion(const LogicalPlan& node, const LogicalPlanPtr& domain) {
    std::vector<LogicalPlanPtr> children;
    for (const LogicalPlanPtr& child : node.children) {
      ARROW_ASSIGN_OR_RAISE(children.emplace_back(), Run(child, domain));
    }
    return MakeUnion(std::move(children), node.span);
  }

  arrow::Result<LogicalPlanPtr> OverJoin(const JoinNode& node, const LogicalPlanPtr& domain) {
    const int width = WidthOf(*domain);
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr left, Run(node.children[0], domain));
    ExprPtr condition = node.condition == nullptr ? nullptr : Placed(node.condition, width);
    if (!IsCorrelated(node.children[1])) {
      const bool is_left_first = node.type != JoinType::kRight && node.type != JoinType::kFull;
      if (!is_left_first) return Unsupported("a RIGHT or FULL join", node.span);
      return MakeJoin(std::move(left), node.children[1], node.type, std::move(condition),
                      node.span);
    }
    if (node.type == JoinType::kInner && !NeedsDistinctRows(node.children[1])) {
      // The rows of the left side begin with those of the domain and take its place.
      ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr both, Run(node.children[1], left));
      if (condition == nullptr) return both;
      return MakeFilter(std::move(both), std::move(condition), node.span);
    }
    if (node.type == JoinType::kRight || node.type == JoinType::kFull) {
      return Unsupported("a RIGHT or FULL join", node.span);
    }
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr right, Run(node.children[1], domain));
    ARROW_ASSIGN_OR_RAISE(ExprPtr same, SameRow(*left, *right, width, node.span));
    // The right side has the columns of the domain first.
    const int left_width = WidthOf(*left);
    if (condition != nullptr) {
      condition = PastDomain(condition, left_width, width);
      ARROW_ASSIGN_OR_RAISE(same, MakeCall("and", {std::move(same), condition}, node.span));
    }
    const bool keeps_left = node.type == JoinType::kLeftSemi || node.type == JoinType::kLeftAnti;
    LogicalPlanPtr joined =
        MakeJoin(std::move(left), std::move(right), node.type, std::move(same), node.span);
    if (keeps_left) return joined;
    Exprs exprs = Columns(*joined, 0, left_width, node.span);
    for (ExprPtr& column :
         Columns(*joined, left_width + width, WidthOf(*joined) - left_width - width, node.span)) {
      exprs.push_back(std::move(column));
    }
    return Select(std::move(joined), std::move(exprs), node.span);
  }

  // Columns from `begin` on stand `by` further right.
  static ExprPtr PastDomain(const ExprPtr& expr, int begin, int by) {
    if (expr->kind == Expr::Kind::kColumn) {
      if (expr->column < begin) return expr;
      return MakeColumn(expr->column + by, expr->name, expr->type, expr->span);
    }
    if (expr->args.empty()) return expr;
    auto copy = std::make_shared<Expr>(*expr);
    for (ExprPtr& arg : copy->args) arg = PastDomain(arg, begin, by);
    return copy;
  }

  arrow::Result<LogicalPlanPtr> OverAggregate(const AggregateNode& node,
                                              const LogicalPlanPtr& domain) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Run(node.children[0], domain));
    const int width = WidthOf(*domain);
    Exprs keys = Columns(*child, 0, width, node.span);
    for (const ExprPtr& key : node.keys) keys.push_back(Placed(key, width));
    std::vector<AggregateCall> calls = node.calls;
    for (AggregateCall& call : calls) call.args = Placed(std::move(call.args), width);
    LogicalPlanPtr grouped =
        MakeAggregate(std::move(child), std::move(keys), std::move(calls), node.span);
    if (!node.keys.empty()) return grouped;
    return WithEmptyGroups(node, domain, std::move(grouped));
  }

  // Without groups there is a row for every row of the domain, also where there is nothing.
  static arrow::Result<LogicalPlanPtr> WithEmptyGroups(const AggregateNode& node,
                                                       const LogicalPlanPtr& domain,
                                                       LogicalPlanPtr grouped) {
    const Span span = node.span;
    const int width = WidthOf(*domain);
    Exprs marked = Columns(*grouped, 0, WidthOf(*grouped), span);
    marked.push_back(MakeLiteral(std::make_shared<arrow::BooleanScalar>(true), span));
    grouped = Select(std::move(grouped), std::move(marked), span);
    ARROW_ASSIGN_OR_RAISE(ExprPtr same, SameRow(*domain, *grouped, width, span));
    LogicalPlanPtr joined = MakeJoin(domain, grouped, JoinType::kLeft, std::move(same), span);
    const ExprPtr is_there = ColumnAt(*joined, WidthOf(*joined) - 1, span);
    Exprs exprs = Columns(*joined, 0, width, span);
    std::vector<PlanField> fields(joined->output.begin(), joined->output.begin() + width);
    for (int i = 0; i < static_cast<int>(node.calls.size()); ++i) {
      ExprPtr value = ColumnAt(*joined, 2 * width + i, span);
      ARROW_ASSIGN_OR_RAISE(const ExprPtr empty, EmptyValue(node.calls[i]));
      if (empty != nullptr) {
        ARROW_ASSIGN_OR_RAISE(ExprPtr is_missing, MakeCall("isnull", {is_there}, span));
        ARROW_ASSIGN_OR_RAISE(value, MakeCall("if", {std::move(is_missing), empty, value}, span));
      }
      fields.push_back(node.output[i]);
      exprs.push_back(std::move(value));
    }
    return MakeProject(std::move(joined), std::move(exprs), std::move(fields), span);
  }

  arrow::Result<LogicalPlanPtr> OverWindow(const WindowNode& node, const LogicalPlanPtr& domain) {
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr child, Run(node.children[0], domain));
    const int width = WidthOf(*domain);
    std::vector<int> partition = FirstColumns(width);
    for (const int column : node.partition) partition.push_back(width + column);
    std::vector<SortKey> order = node.order;
    std::vector<WindowCall> calls = node.calls;
    ForEachExpr(&order, &calls, [&](ExprPtr* expr) { *expr = Placed(*expr, width); });
    return MakeWindow(std::move(child), std::move(partition), std::move(order), std::move(calls),
                      node.span);
  }

  // The first rows for each row of the domain.
  arrow::Result<LogicalPlanPtr> OverLimit(const LogicalPlanPtr& node,
                                          const LogicalPlanPtr& domain) {
    const LogicalPlanPtr lowest = LimitBelowProjections(node);
    if (lowest->kind != Kind::kLimit) return Run(lowest, domain);
    const auto& limit = As<LimitNode>(*lowest);
    const Span span = limit.span;
    std::vector<SortKey> order;
    LogicalPlanPtr input = limit.children[0];
    const int width = WidthOf(*domain);
    if (input->kind == Kind::kSort) {
      order = As<SortNode>(*input).keys;
      for (SortKey& key : order) key.expr = Placed(key.expr, width);
      input = input->children[0];
    }
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, Run(input, domain));
    std::vector<int> partition = FirstColumns(width);
    WindowCall number;
    number.function = "row_number";
    number.type = arrow::int32();
    number.text = "row_number()";
    number.span = span;
    const int columns = WidthOf(*plan);
    plan = MakeWindow(std::move(plan), std::move(partition), std::move(order), {number}, span);
    const ExprPtr place = ColumnAt(*plan, columns, span);
    ARROW_ASSIGN_OR_RAISE(ExprPtr is_in,
                          MakeCall(">", {place, LongLiteral(limit.offset, span)}, span));
    if (limit.count <= INT64_MAX - limit.offset) {
      ARROW_ASSIGN_OR_RAISE(
          ExprPtr is_first,
          MakeCall("<=", {place, LongLiteral(limit.offset + limit.count, span)}, span));
      ARROW_ASSIGN_OR_RAISE(is_in, MakeCall("and", {std::move(is_in), is_first}, span));
    }
    plan = MakeFilter(std::move(plan), std::move(is_in), span);
    Exprs shown = Columns(*plan, 0, columns, span);
    return Select(std::move(plan), std::move(shown), span);
  }

  const std::vector<int>& places_;
};

}  // namespace

bool NeedsDistinctRows(const LogicalPlanPtr& query) {
  if (!IsCorrelated(query)) return false;
  switch (query->kind) {
    case Kind::kAggregate:
    case Kind::kWindow:
    case Kind::kLimit:
      return true;
    case Kind::kJoin:
      if (As<JoinNode>(*query).type != JoinType::kInner && IsCorrelated(query->children[1])) {
        return true;
      }
      break;
    default:
      break;
  }
  return std::any_of(query->children.begin(), query->children.end(), NeedsDistinctRows);
}

arrow::Result<LogicalPlanPtr> Apply(const LogicalPlanPtr& query, const LogicalPlanPtr& domain,
                                    const std::vector<int>& places) {
  return Applier(places).Run(query, domain);
}

arrow::Result<Decorrelated> ApplyToDomain(const LogicalPlanPtr& query,
                                          const std::vector<PlanField>& outer) {
  const Span span = query->span;
  Decorrelated made;
  ForEachNode(query, [&made](const LogicalPlanPtr& node) {
    ForEachExprOf(node, [&made](const Expr& expr) { CollectOuter(expr, &made.outer_columns); });
  });
  std::sort(made.outer_columns.begin(), made.outer_columns.end());
  made.outer_columns.erase(std::unique(made.outer_columns.begin(), made.outer_columns.end()),
                           made.outer_columns.end());
  std::vector<int> places(outer.size(), -1);
  Exprs values;
  std::vector<PlanField> fields;
  for (const int column : made.outer_columns) {
    places[column] = static_cast<int>(values.size());
    values.push_back(MakeLiteral(arrow::MakeNullScalar(outer[column].type), span));
    fields.push_back(outer[column]);
  }
  const auto num_keys = static_cast<int>(values.size());
  made.domain = MakeProject(MakeOneRow(span), std::move(values), std::move(fields), span);
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, Apply(query, made.domain, places));
  // The query's columns first.
  made.width = query->output.size();
  const auto width = static_cast<int>(made.width);
  Exprs exprs = Columns(*plan, num_keys, width, span);
  std::vector<PlanField> shown = query->output;
  for (int i = 0; i < num_keys; ++i) {
    exprs.push_back(ColumnAt(*plan, i, span));
    shown.push_back(plan->output[i]);
  }
  made.plan = MakeProject(std::move(plan), std::move(exprs), std::move(shown), span);
  for (int i = 0; i < num_keys; ++i) {
    const int column = made.outer_columns[i];
    const PlanField& field = outer[column];
    ARROW_ASSIGN_OR_RAISE(made.conditions.emplace_back(),
                          MakeCall("<=>",
                                   {ColumnOf(field, kOuterColumns + column, span),
                                    ColumnAt(*made.plan, width + i, span)},
                                   span));
  }
  return made;
}

arrow::Result<LogicalPlanPtr> OverDistinctRows(const LogicalPlanPtr& plan,
                                               const LogicalPlanPtr& domain,
                                               const LogicalPlanPtr& base,
                                               std::vector<ExprPtr> keys, Span span) {
  ARROW_ASSIGN_OR_RAISE(const LogicalPlanPtr rows, DistinctRows(base, std::move(keys), span));
  return ReplaceNode(plan, domain, rows);
}

}  // namespace tidemill::driver
