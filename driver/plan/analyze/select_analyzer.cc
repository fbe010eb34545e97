#include "driver/plan/analyze/select_analyzer.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "driver/plan/analyze/lateral_aliases.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/analyze/subquery/where_clause.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

// Each level of aliases below HAVING can double the work.
constexpr int kMaxInlinedAliases = 10'000;

}  // namespace

SelectAnalyzer::SelectAnalyzer(const sql::Query& query, WindowedInput input,
                               std::vector<PlanField> star_fields, const QueryScope& scope)
    : query_(query),
      select_(*query.select),
      input_(std::move(input.plan)),
      scope_(scope),
      names_(input_->output),
      star_names_(std::move(star_fields)),
      time_columns_(std::move(input.columns)),
      subqueries_(names_, scope),
      windows_(select_) {}

Span SelectAnalyzer::AggregateSpan() const {
  if (!select_.group_by.empty()) {
    return {select_.group_by.front().span.begin, select_.group_by.back().span.end};
  }
  if (!calls_.empty()) return calls_.front().span;
  return select_.span;
}

arrow::Status SelectAnalyzer::MissingAggregation(const Expr& column) const {
  const std::string text = QuotedSql(ExprText(column));
  if (select_.group_by_all) {
    return QueryError("UNRESOLVED_ALL_IN_GROUP_BY",
                      "Cannot infer grouping columns for GROUP BY ALL based on the select clause. "
                      "Please explicitly specify the grouping columns.",
                      column.span);
  }
  if (select_.group_by.empty()) {
    return QueryError("MISSING_GROUP_BY",
                      "The query does not include a GROUP BY clause. Add GROUP BY or turn it into "
                      "the window functions using OVER clauses.",
                      column.span, fmt::format("{} is not in an aggregate function", text));
  }
  return QueryError(
      "MISSING_AGGREGATION",
      fmt::format("The non-aggregating expression {} is based on columns which are not "
                  "participating in the GROUP BY clause. Add the columns or the expression to the "
                  "GROUP BY, aggregate the expression, or use \"any_value({})\" if you do not care "
                  "which of the values within a group is returned.",
                  text, ExprText(column)),
      column.span);
}

// A stand-in, or a column of the input.
arrow::Result<ExprPtr> SelectAnalyzer::RelocateColumn(const ExprPtr& column) {
  const auto moved = [&column](int place) {
    return MakeColumn(place, column->name, column->type, column->span);
  };
  const int index = column->column;
  const auto num_keys = static_cast<int>(keys_.size());
  // Behind the keys of grouping sets stands their id.
  const int first_result = num_keys + sets_.NumExtraKeys();
  if (index >= kAliasColumns) return RelocateAlias(column);
  if (index >= kSubqueryColumns) return moved(subquery_base_ + index - kSubqueryColumns);
  if (index >= kOuterColumns) return column;
  if (index >= kWindowColumns) return moved(windows_.ColumnOf(index - kWindowColumns));
  if (index >= kGroupingId) return moved(num_keys);
  if (index >= kGeneratedColumns) return moved(generated_base_ + index - kGeneratedColumns);
  if (index >= kAggregateColumns) return moved(first_result + index - kAggregateColumns);
  if (is_aggregation_) return MissingAggregation(*column);
  return column;
}

// Below the projections that compute aliases (HAVING, arguments of generators) an alias is its
// expression.
arrow::Result<ExprPtr> SelectAnalyzer::RelocateAlias(const ExprPtr& column) {
  const int item = column->column - kAliasColumns;
  if (item < static_cast<int>(alias_places_.size()) && alias_places_[item] >= 0) {
    return MakeColumn(alias_places_[item], column->name, column->type, column->span);
  }
  if (++num_inlined_ > kMaxInlinedAliases) {
    return QueryError("QUERY_TOO_LARGE",
                      fmt::format("query too large: aliases that name aliases are repeated where "
                                  "HAVING or a generator names them: repeats={} limit={}",
                                  num_inlined_, kMaxInlinedAliases),
                      column->span);
  }
  return Relocate(items_[item].expr);
}

arrow::Result<ExprPtr> SelectAnalyzer::Relocate(const ExprPtr& expr) {
  const bool is_column = expr->kind == Expr::Kind::kColumn;
  for (int i = 0; is_aggregation_ && i < static_cast<int>(keys_.size()); ++i) {
    if (!ExprEquals(*keys_[i], *expr)) continue;
    return MakeColumn(i, is_column ? expr->name : ExprText(*expr), expr->type, expr->span);
  }
  if (is_column) return RelocateColumn(expr);
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) {
    ARROW_ASSIGN_OR_RAISE(arg, Relocate(arg));
  }
  return copy;
}

int SelectAnalyzer::SessionKey() const {
  for (const TimeColumn& column : time_columns_) {
    if (column.function != "session_window") continue;
    for (size_t i = 0; i < keys_.size(); ++i) {
      const bool is_it = keys_[i]->kind == Expr::Kind::kColumn && keys_[i]->column == column.column;
      if (is_it) return static_cast<int>(i);
    }
  }
  return -1;
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildAggregate(LogicalPlanPtr plan) {
  const Span span = AggregateSpan();
  if (sets_.empty()) {
    return WithSessionKey(MakeAggregate(std::move(plan), keys_, calls_, span), SessionKey());
  }
  const auto width = static_cast<int>(plan->output.size());
  // A window among the keys stays the event time, also where a set leaves it out and it is NULL.
  std::vector<std::optional<EventTime>> event_times;
  for (const ExprPtr& key : keys_) {
    const bool is_column = key->kind == Expr::Kind::kColumn && key->column < width;
    event_times.push_back(is_column ? plan->output[key->column].event_time : std::nullopt);
  }
  event_times.resize(keys_.size() + sets_.NumExtraKeys());
  ARROW_ASSIGN_OR_RAISE(plan, ExpandSets(std::move(plan), keys_, sets_, span));
  std::vector<ExprPtr> keys;
  for (int i = width; i < static_cast<int>(plan->output.size()); ++i) {
    const bool is_key = i - width < static_cast<int>(keys_.size());
    const std::string name = is_key ? ExprText(*keys_[i - width]) : plan->output[i].name;
    keys.push_back(MakeColumn(i, name, plan->output[i].type, span));
  }
  return MakeAggregate(std::move(plan), std::move(keys), calls_, std::move(event_times), span);
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildFilter(LogicalPlanPtr plan,
                                                          const ExprPtr& condition, Span span) {
  if (condition == nullptr) return plan;
  ARROW_ASSIGN_OR_RAISE(ExprPtr moved, Relocate(condition));
  return MakeFilter(std::move(plan), std::move(moved), span);
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildBase(const ExprPtr& having,
                                                        const ExprPtr& qualify) {
  const auto relocate = [this](const ExprPtr& expr) { return Relocate(expr); };
  LogicalPlanPtr plan = input_;
  if (is_aggregation_) {
    ARROW_ASSIGN_OR_RAISE(plan, BuildAggregate(std::move(plan)));
  }
  subquery_base_ = static_cast<int>(plan->output.size());
  ARROW_ASSIGN_OR_RAISE(plan, subqueries_.Join(std::move(plan), relocate));
  ARROW_ASSIGN_OR_RAISE(plan, BuildFilter(std::move(plan), having, select_.span));
  ARROW_ASSIGN_OR_RAISE(plan, windows_.Build(std::move(plan), relocate));
  ARROW_ASSIGN_OR_RAISE(plan, BuildFilter(std::move(plan), qualify, select_.span));
  generated_base_ = static_cast<int>(plan->output.size());
  for (Generator generator : generators_) {
    for (ExprPtr& arg : generator.args) {
      ARROW_ASSIGN_OR_RAISE(arg, Relocate(arg));
    }
    plan = ApplyGenerator(std::move(plan), std::move(generator));
  }
  return BuildAliases(std::move(plan));
}

// Adds columns for the items that others name.
arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildAliases(LogicalPlanPtr plan) {
  std::vector<ExprPtr> items;
  for (const Item& item : items_) items.push_back(item.expr);
  std::vector<int> places(items_.size(), -1);
  for (const std::vector<int>& layer : AliasLayers(items)) {
    std::vector<PlanField> fields = plan->output;
    std::vector<ExprPtr> exprs = ColumnsOf(fields, select_.span);
    for (const int item : layer) {
      places[item] = static_cast<int>(exprs.size());
      ARROW_ASSIGN_OR_RAISE(exprs.emplace_back(), Relocate(items_[item].expr));
      fields.push_back(items_[item].field);
    }
    plan = MakeProject(std::move(plan), std::move(exprs), std::move(fields), select_.span);
    alias_places_ = places;
  }
  return plan;
}

// Project and Sort over the same input: keys that the select list does not hold travel as hidden
// columns.
LogicalPlanPtr SelectAnalyzer::BuildSort(LogicalPlanPtr plan, const std::vector<OrderKey>& order,
                                         std::vector<ExprPtr> exprs,
                                         std::vector<PlanField> fields) const {
  const size_t width = exprs.size();
  const std::vector<PlanField> visible = fields;
  std::vector<SortKey> keys;
  for (const OrderKey& key : order) {
    size_t column = 0;
    while (column < exprs.size() && !ExprEquals(*exprs[column], *key.expr)) ++column;
    if (column == exprs.size()) {
      exprs.push_back(key.expr);
      fields.push_back({"", ExprText(*key.expr), key.expr->type});
    }
    keys.push_back(
        {MakeColumn(static_cast<int>(column), fields[column].name, key.expr->type, key.span),
         key.is_descending, key.nulls_first});
  }
  plan = MakeProject(std::move(plan), exprs, std::move(fields), select_.span);
  if (keys.empty()) return plan;
  const Span span{order.front().span.begin, order.back().span.end};
  plan = MakeSort(std::move(plan), std::move(keys), span);
  if (exprs.size() == width) return plan;
  std::vector<ExprPtr> shown;
  for (size_t i = 0; i < width; ++i) {
    shown.push_back(MakeColumn(static_cast<int>(i), visible[i].name, visible[i].type));
  }
  return MakeProject(std::move(plan), std::move(shown), visible, select_.span);
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildOrdered(LogicalPlanPtr base,
                                                           std::vector<OrderKey> order) {
  std::vector<ExprPtr> exprs;
  std::vector<PlanField> fields;
  for (const Item& item : items_) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr expr, Relocate(item.expr));
    exprs.push_back(std::move(expr));
    fields.push_back(item.field);
  }
  for (OrderKey& key : order) {
    ARROW_ASSIGN_OR_RAISE(key.expr, Relocate(key.expr));
  }
  return BuildSort(std::move(base), order, std::move(exprs), std::move(fields));
}

// SELECT DISTINCT groups by all columns; ORDER BY sees those alone.
arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildDistinct(LogicalPlanPtr base) {
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, BuildOrdered(std::move(base), {}));
  const std::vector<PlanField> fields = plan->output;
  keys_.clear();
  std::vector<ExprPtr> columns;
  for (int i = 0; i < static_cast<int>(fields.size()); ++i) {
    columns.push_back(MakeColumn(i, fields[i].name, fields[i].type, items_[i].expr->span));
    ARROW_RETURN_NOT_OK(AddGroupKey(columns.back(), columns.back()->span).status());
  }
  plan = MakeAggregate(std::move(plan), columns, {}, select_.span);
  const SelectOutputs outputs{NameScope(fields), columns};
  ARROW_ASSIGN_OR_RAISE(auto order, BindOrder(outputs.names, outputs, /*aggregates=*/false));
  return BuildSort(std::move(plan), order, std::move(columns), fields);
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::Run() {
  is_aggregation_ = IsAggregation();
  // grouping() in the select list asks for the sets, GROUP BY for the select list: with sets, keys
  // come first and cannot be aliases or ordinals.
  const bool has_sets = std::any_of(
      select_.group_by.begin(), select_.group_by.end(),
      [](const auto& element) { return element.kind != sql::GroupingElement::Kind::kSet; });
  if (has_sets) ARROW_RETURN_NOT_OK(BindGroupKeys());
  ARROW_RETURN_NOT_OK(BindItems());
  if (!has_sets) ARROW_RETURN_NOT_OK(BindGroupKeys());
  ExprPtr having;
  if (select_.having) {
    ARROW_ASSIGN_OR_RAISE(having, BindCondition(*select_.having, /*aggregates=*/true, "HAVING"));
  }
  ExprPtr qualify;
  if (select_.qualify) {
    ARROW_ASSIGN_OR_RAISE(qualify, BindCondition(*select_.qualify, is_aggregation_, "QUALIFY"));
  }
  std::vector<OrderKey> order;
  if (!select_.is_distinct) {
    ARROW_ASSIGN_OR_RAISE(order,
                          BindOrder(names_, Outputs(/*with_generated=*/true), is_aggregation_));
  }
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, BuildBase(having, qualify));
  if (select_.is_distinct) return BuildDistinct(std::move(plan));
  return BuildOrdered(std::move(plan), std::move(order));
}

arrow::Result<LogicalPlanPtr> AnalyzeSelectList(const sql::Query& query, LogicalPlanPtr input,
                                                const QueryScope& scope) {
  if (query.select->where) {
    ARROW_ASSIGN_OR_RAISE(input, AnalyzeWhere(*query.select->where, std::move(input), scope));
  }
  std::vector<PlanField> star_fields = input->output;
  const NameScope input_names(star_fields);
  ARROW_ASSIGN_OR_RAISE(WindowedInput windowed,
                        AddTimeColumns(query, std::move(input), scope.context));
  SelectAnalyzer analyzer(query, std::move(windowed), std::move(star_fields), scope);
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, analyzer.Run());
  const bool sees_input = !analyzer.is_aggregation() && !query.select->is_distinct;
  ARROW_RETURN_NOT_OK(CheckDistribution(query, *plan, sees_input ? &input_names : nullptr, scope));
  return ApplyLimit(query, std::move(plan), scope);
}

}  // namespace tidemill::driver
