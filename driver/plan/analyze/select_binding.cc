#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/lateral_aliases.h"
#include "driver/plan/analyze/named_arguments.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/select_analyzer.h"
#include "driver/plan/logical/plan_error.h"

// The expressions of a SELECT, bound over its input.
namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

bool HasAggregateColumn(const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn) {
    return expr.column >= kAggregateColumns && expr.column < kGeneratedColumns;
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return HasAggregateColumn(*arg); });
}

// Spark's name of a column without alias.
std::string DefaultName(const sql::AstExpr& ast, const Expr& expr) {
  const bool is_alias = expr.kind == Expr::Kind::kColumn && expr.column >= kAliasColumns;
  if (expr.kind == Expr::Kind::kColumn && !is_alias) return ExprText(expr);
  const bool is_bare_call = expr.kind == Expr::Kind::kCall && expr.args.empty();
  if (ast.kind == Kind::kName && !is_bare_call) return ast.parts.back();
  const bool is_cast = ast.kind == Kind::kCast && ast.args[0].kind == Kind::kName;
  if (is_cast && expr.args.size() == 1 && expr.args[0]->kind == Expr::Kind::kColumn) {
    return expr.args[0]->name;
  }
  const bool is_grouping = ast.kind == Kind::kCall && ast.name == "grouping";
  if (is_grouping && ast.args.size() == 1 && ast.args[0].kind == Kind::kName) {
    return fmt::format("grouping({})", ast.args[0].parts.back());
  }
  return ExprText(expr);
}

arrow::Status AliasInGroupBy(Span span) {
  return QueryError("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY",
                    "The feature is not supported: Referencing a lateral column alias via GROUP BY "
                    "alias/ALL is not supported yet.",
                    span);
}

}  // namespace

ExprBinder::Options SelectAnalyzer::BindOptions(bool aggregates, const SelectOutputs* outputs) {
  return {.query = scope_.context.query,
          .zone = scope_.context.zone.get(),
          .calls = aggregates ? &calls_ : nullptr,
          .outputs = outputs,
          .time_columns = &time_columns_,
          .outer = scope_.outer,
          .hook = this};
}

std::string SelectAnalyzer::TextOf(const sql::AstExpr& ast) const {
  return std::string(TextAt(scope_.context.query, ast.span));
}

arrow::Result<ExprPtr> SelectAnalyzer::BindWindow(const sql::AstExpr& call, ExprBinder* binder) {
  if (!binder->is_in_aggregate()) return windows_.Bind(call, binder);
  return QueryError("_LEGACY_ERROR_TEMP_1031",
                    "It is not allowed to use a window function inside an aggregate function. "
                    "Please use the inner window function in a sub-query.",
                    call.span);
}

arrow::Result<ExprPtr> SelectAnalyzer::BindRowId(const sql::AstExpr& call, ExprBinder* binder) {
  if (!binder->is_in_aggregate()) return windows_.BindRowId(call);
  return QueryError("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION",
                    fmt::format("Non-deterministic expression {} should not appear in the "
                                "arguments of an aggregate function.",
                                QuotedSql(fmt::format("{}()", kRowIdFunction))),
                    call.span);
}

arrow::Result<ExprPtr> SelectAnalyzer::BindSubquery(const sql::AstExpr& ast, ExprBinder* binder) {
  return subqueries_.Add(ast, binder);
}

// grouping_id() is the id itself, grouping(key) one of its bits.
arrow::Result<ExprPtr> SelectAnalyzer::BindGrouping(const sql::AstExpr& call, ExprBinder* binder) {
  if (sets_.empty()) {
    return QueryError("UNSUPPORTED_GROUPING_EXPRESSION",
                      "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.",
                      call.span);
  }
  ARROW_ASSIGN_OR_RAISE(const auto args, binder->BindAll(call.args));
  const auto num_keys = static_cast<int>(keys_.size());
  if (call.name == "grouping_id") {
    const bool is_whole =
        args.empty() ||
        std::equal(args.begin(), args.end(), keys_.begin(), keys_.end(),
                   [](const ExprPtr& a, const ExprPtr& b) { return ExprEquals(*a, *b); });
    if (is_whole) {
      std::string text;
      for (const ExprPtr& arg : args) text += (text.empty() ? "" : ", ") + ExprText(*arg);
      return MakeColumn(kGroupingId, fmt::format("grouping_id({})", text), arrow::int64(),
                        call.span);
    }
    return QueryError("GROUPING_ID_COLUMN_MISMATCH",
                      fmt::format("Columns of grouping_id ({}) does not match grouping columns "
                                  "({}).",
                                  TextOf(call), num_keys),
                      call.span);
  }
  for (int key = 0; args.size() == 1 && key < num_keys; ++key) {
    if (ExprEquals(*args[0], *keys_[key])) return GroupingOf(key, num_keys, call.span);
  }
  std::string columns;
  for (const ExprPtr& key : keys_) columns += (columns.empty() ? "" : ",") + ExprText(*key);
  return QueryError("GROUPING_COLUMN_MISMATCH",
                    fmt::format("Column of grouping ({}) can't be found in grouping columns {}.",
                                args.empty() ? "" : ExprText(*args[0]), columns),
                    call.span);
}

arrow::Result<ExprPtr> SelectAnalyzer::FindAlias(const sql::AstExpr& name) {
  if (!is_in_select_list_) return nullptr;
  ExprPtr found;
  int count = 0;
  for (int i = 0; i < static_cast<int>(items_.size()); ++i) {
    const Item& item = items_[i];
    if (!item.has_alias || !EqualsIgnoreCase(item.field.name, name.parts[0])) continue;
    if (++count > 1) continue;
    found = MakeColumn(kAliasColumns + i, fmt::format("lateralAliasReference({})", name.parts[0]),
                       item.field.type, name.span);
  }
  if (count > 1) {
    return QueryError("AMBIGUOUS_LATERAL_COLUMN_ALIAS",
                      fmt::format("Lateral column alias {} is ambiguous and has {} matches.",
                                  QuotedName(name.parts[0]), count),
                      name.span);
  }
  for (size_t i = 1; count == 1 && i < name.parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(found, ExtractField(std::move(found), name.parts[i], name.span));
  }
  return found;
}

arrow::Status SelectAnalyzer::RefuseGenerator(const sql::AstExpr& ast,
                                              std::string_view clause) const {
  const sql::AstExpr* call = FindGeneratorCall(ast);
  if (call == nullptr) return arrow::Status::OK();
  return QueryError("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                    fmt::format("The generator is not supported: outside the SELECT clause, found: "
                                "{} {}.",
                                clause, TextOf(*call)),
                    call->span, "generate the rows in a subquery in FROM, or with LATERAL VIEW");
}

bool SelectAnalyzer::IsAggregation() const {
  if (!select_.group_by.empty() || select_.group_by_all || select_.having) return true;
  return std::any_of(select_.items.begin(), select_.items.end(), [](const sql::SelectItem& item) {
    return FindAggregateCall(item.expr) != nullptr;
  });
}

arrow::Status SelectAnalyzer::BindItems() {
  is_in_select_list_ = true;
  for (const sql::SelectItem& item : select_.items) {
    if (item.expr.kind == Kind::kStar) {
      ARROW_RETURN_NOT_OK(BindStar(item.expr));
    } else if (IsGeneratorCall(item.expr)) {
      ARROW_RETURN_NOT_OK(BindGenerator(item));
    } else {
      ARROW_RETURN_NOT_OK(BindItem(item));
    }
  }
  is_in_select_list_ = false;
  return CheckHeights();
}

// An alias may become part of the expressions that name it: together they are no higher than the
// parser lets an expression be.
arrow::Status SelectAnalyzer::CheckHeights() const {
  std::vector<int> heights;
  for (const Item& item : items_) {
    int below = 0;
    for (const int alias : AliasesIn(*item.expr)) below = std::max(below, heights[alias]);
    heights.push_back(below + item.height);
    if (heights.back() <= sql::kMaxNesting) continue;
    return QueryError("FAILED_TO_PARSE_TOO_COMPLEX",
                      fmt::format("The statement was too complex to be parsed: at most {} levels "
                                  "of nesting, through aliases too",
                                  sql::kMaxNesting),
                      item.expr->span);
  }
  return arrow::Status::OK();
}

arrow::Status SelectAnalyzer::BindStar(const sql::AstExpr& star) {
  ARROW_ASSIGN_OR_RAISE(auto columns, star_names_.ExpandStar(star.parts, star.span));
  std::vector<bool> is_left_out(columns.size());
  for (const sql::AstExpr& name : star.args) {
    ExprBinder binder(names_, {.query = scope_.context.query, .zone = scope_.context.zone.get()});
    ARROW_ASSIGN_OR_RAISE(const ExprPtr column, binder.Bind(name));
    if (column->kind != Expr::Kind::kColumn) {
      return NotSupportedYet("STAR_EXCEPT_FIELD", "* EXCEPT with a field of a struct", name.span);
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (ExprEquals(*columns[i].first, *column)) is_left_out[i] = true;
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (is_left_out[i]) continue;
    columns[i].second.is_hidden = false;
    items_.push_back({std::move(columns[i].first), std::move(columns[i].second)});
  }
  return arrow::Status::OK();
}

arrow::Status SelectAnalyzer::BindItem(const sql::SelectItem& item) {
  if (!item.alias_list.empty()) {
    return QueryError("MULTI_ALIAS_WITHOUT_GENERATOR",
                      fmt::format("Multi part aliasing ({}) is not supported with {} as it is not "
                                  "a generator function.",
                                  fmt::join(item.alias_list, ", "), TextOf(item.expr)),
                      item.expr.span);
  }
  ExprBinder binder(names_, BindOptions(/*aggregates=*/true));
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(item.expr));
  PlanField field{"", item.alias, expr->type};
  if (item.alias.empty()) {
    field.name = DefaultName(item.expr, *expr);
    const bool is_column = expr->kind == Expr::Kind::kColumn && expr->column < kAggregateColumns;
    if (is_column) field.qualifier = names_.fields()[expr->column].qualifier;
  }
  items_.push_back({.expr = std::move(expr),
                    .field = std::move(field),
                    .has_alias = !item.alias.empty(),
                    .height = item.expr.height});
  return arrow::Status::OK();
}

// Spark names all generators that the list has.
arrow::Status SelectAnalyzer::RefuseSecondGenerator(const sql::AstExpr& second) const {
  std::string texts;
  int count = 0;
  for (const sql::SelectItem& item : select_.items) {
    if (!IsGeneratorCall(item.expr)) continue;
    texts += (++count > 1 ? ", " : "") + QuotedSql(TextOf(item.expr));
  }
  return QueryError("UNSUPPORTED_GENERATOR.MULTI_GENERATOR",
                    fmt::format("The generator is not supported: only one generator allowed per "
                                "SELECT clause but found {}: {}.",
                                count, texts),
                    second.span);
}

arrow::Status SelectAnalyzer::BindGenerator(const sql::SelectItem& item) {
  if (is_aggregation_ && !generators_.empty()) return RefuseSecondGenerator(item.expr);
  std::vector<sql::AstExpr> arranged = item.expr.args;
  if (HasArgumentsToArrange(item.expr.name, arranged)) {
    ARROW_ASSIGN_OR_RAISE(arranged, ArrangeArguments(item.expr.name, arranged, item.expr.span));
  }
  ExprBinder binder(names_, BindOptions(/*aggregates=*/true));
  ARROW_ASSIGN_OR_RAISE(auto args, binder.BindAll(arranged));
  ARROW_ASSIGN_OR_RAISE(Generator generator,
                        ResolveGenerator(item.expr.name, std::move(args), item.expr.span));
  std::vector<std::string> names = item.alias_list;
  if (!item.alias.empty()) names = {item.alias};
  ARROW_RETURN_NOT_OK(RenameGenerated(names, item.expr.span, &generator));
  int column = kGeneratedColumns;
  for (const Generator& other : generators_) column += static_cast<int>(other.fields.size());
  for (const PlanField& field : generator.fields) {
    items_.push_back({MakeColumn(column++, field.name, field.type, item.expr.span), field,
                      !names.empty(), /*is_generated=*/true, item.expr.height});
  }
  generators_.push_back(std::move(generator));
  return arrow::Status::OK();
}

// Gives the key's number.
arrow::Result<int> SelectAnalyzer::AddGroupKey(ExprPtr key, Span span) {
  if (HasMap(*key->type)) {
    return QueryError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                      fmt::format("The expression {} cannot be used as a grouping expression "
                                  "because its data type {} is not an orderable data type.",
                                  QuotedSql(ExprText(*key)), QuotedType(*key->type)),
                      span);
  }
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (ExprEquals(*keys_[i], *key)) return static_cast<int>(i);
  }
  keys_.push_back(std::move(key));
  return static_cast<int>(keys_.size()) - 1;
}

arrow::Result<ExprPtr> SelectAnalyzer::BindGroupKey(const sql::AstExpr& ast) {
  ARROW_RETURN_NOT_OK(RefuseGenerator(ast, "GROUP BY"));
  if (const sql::AstExpr* call = FindAggregateCall(ast)) {
    return QueryError("GROUP_BY_AGGREGATE",
                      fmt::format("Aggregate functions are not allowed in GROUP BY, but found {}.",
                                  TextOf(*call)),
                      call->span);
  }
  ARROW_ASSIGN_OR_RAISE(const int ordinal, OrdinalOf(ast, items_.size(), "GROUP"));
  const Item* item = ordinal >= 0 ? &items_[ordinal] : nullptr;
  if (ordinal < 0 && ast.kind == Kind::kName && ast.parts.size() == 1 &&
      names_.Matches(ast.parts).empty()) {
    const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& candidate) {
      return candidate.has_alias && EqualsIgnoreCase(candidate.field.name, ast.parts[0]);
    });
    if (found != items_.end()) item = &*found;
  }
  if (item == nullptr) {
    ExprBinder binder(names_, BindOptions(/*aggregates=*/false));
    return binder.Bind(ast);
  }
  if (item->is_generated) {
    return QueryError("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                      fmt::format("The generator is not supported: outside the SELECT clause, "
                                  "found: GROUP BY {}.",
                                  TextAt(scope_.context.query, item->expr->span)),
                      ast.span, "generate the rows in a subquery in FROM, or with LATERAL VIEW");
  }
  if (FindAliasIn({item->expr}) != nullptr) return AliasInGroupBy(ast.span);
  if (!HasAggregateColumn(*item->expr)) return item->expr;
  if (ordinal < 0) {
    return QueryError("GROUP_BY_AGGREGATE",
                      fmt::format("Aggregate functions are not allowed in GROUP BY, but found {}.",
                                  ExprText(*item->expr)),
                      ast.span);
  }
  return QueryError("GROUP_BY_POS_AGGREGATE",
                    fmt::format("GROUP BY {} refers to an expression {} that contains an aggregate "
                                "function. Aggregate functions are not allowed in GROUP BY.",
                                ordinal + 1, ExprText(*item->expr)),
                    ast.span);
}

arrow::Status SelectAnalyzer::BindGroupKeys() {
  const auto bind = [this](const sql::AstExpr& ast) -> arrow::Result<int> {
    ARROW_ASSIGN_OR_RAISE(ExprPtr key, BindGroupKey(ast));
    return AddGroupKey(std::move(key), ast.span);
  };
  ARROW_ASSIGN_OR_RAISE(sets_, SetsOf(select_.group_by, bind));
  if (!select_.group_by_all) return arrow::Status::OK();
  if (!generators_.empty()) {
    return NotSupportedYet("GROUP_BY_ALL_WITH_GENERATOR", "GROUP BY ALL with a generator",
                           generators_[0].span);
  }
  for (const Item& item : items_) {
    if (FindAliasIn({item.expr}) != nullptr) return AliasInGroupBy(item.expr->span);
    if (HasAggregateColumn(*item.expr)) continue;
    ARROW_RETURN_NOT_OK(AddGroupKey(item.expr, item.expr->span).status());
  }
  return arrow::Status::OK();
}

// HAVING and QUALIFY.
arrow::Result<ExprPtr> SelectAnalyzer::BindCondition(const sql::AstExpr& ast, bool aggregates,
                                                     std::string_view clause) {
  ARROW_RETURN_NOT_OK(RefuseGenerator(ast, clause));
  const sql::AstExpr* window = FindWindowCall(ast);
  if (window != nullptr && clause == "HAVING") {
    return WindowNotAllowed(*window, clause);
  }
  if (window == nullptr && windows_.empty() && clause == "QUALIFY") {
    return QueryError("QUALIFY_REQUIRES_WINDOW_FUNCTION",
                      "The QUALIFY clause requires at least one window function in the current "
                      "SELECT list or the QUALIFY condition.",
                      ast.span);
  }
  const SelectOutputs outputs = Outputs(/*with_generated=*/false);
  ExprBinder binder(names_, BindOptions(aggregates, &outputs));
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, binder.Bind(ast));
  return RequireBoolean(std::move(condition), ast.span);
}

arrow::Result<std::vector<SelectAnalyzer::OrderKey>> SelectAnalyzer::BindOrder(
    const NameScope& scope, const SelectOutputs& outputs, bool aggregates) {
  std::vector<OrderKey> order;
  const auto add = [&order](const sql::OrderItem& item, ExprPtr expr) {
    order.push_back({std::move(expr), item.descending, item.nulls_first.value_or(!item.descending),
                     item.expr.span});
    return CheckOrderable(*order.back().expr, item.expr.span);
  };
  for (const ExprPtr& expr : outputs.exprs) {
    if (query_.order_by_all) ARROW_RETURN_NOT_OK(add(query_.all_order, expr));
  }
  for (const sql::OrderItem& item : query_.order_by) {
    ARROW_RETURN_NOT_OK(RefuseGenerator(item.expr, "ORDER BY"));
    ARROW_ASSIGN_OR_RAISE(const int ordinal, OrdinalOf(item.expr, outputs.exprs.size(), "ORDER"));
    ExprPtr expr = ordinal >= 0 ? outputs.exprs[ordinal] : nullptr;
    if (expr == nullptr) {
      ExprBinder binder(scope, BindOptions(aggregates, &outputs));
      ARROW_ASSIGN_OR_RAISE(expr, binder.Bind(item.expr));
    }
    ARROW_RETURN_NOT_OK(add(item, std::move(expr)));
  }
  return order;
}

SelectOutputs SelectAnalyzer::Outputs(bool with_generated) const {
  std::vector<PlanField> fields;
  std::vector<ExprPtr> exprs;
  for (const Item& item : items_) {
    if (item.is_generated && !with_generated) continue;
    fields.push_back(item.field);
    exprs.push_back(item.expr);
  }
  return {NameScope(std::move(fields)), std::move(exprs)};
}

}  // namespace tidemill::driver
