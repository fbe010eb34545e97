#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "common/expr/evaluator.h"
#include "common/types/ddl.h"
#include "driver/plan/analyze/analyzer.h"
#include "driver/plan/analyze/event_time/time_windows.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/name_scope.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

bool HasMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  for (const auto& field : type.fields()) {
    if (HasMap(*field->type())) return true;
  }
  return false;
}

bool HasAggregateColumn(const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn) {
    return expr.column >= kAggregateColumns && expr.column < kGeneratedColumns;
  }
  for (const ExprPtr& arg : expr.args) {
    if (HasAggregateColumn(*arg)) return true;
  }
  return false;
}

std::optional<int64_t> OrdinalOf(const sql::AstExpr& ast) {
  if (ast.kind != Kind::kInteger || !ast.literal_type.empty()) return std::nullopt;
  int64_t value = 0;
  const auto parsed = std::from_chars(ast.text.data(), ast.text.data() + ast.text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

// Spark's name of a column without alias.
std::string DefaultName(const sql::AstExpr& ast, const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn) return expr.name;
  if (ast.kind == Kind::kName && ast.parts.size() > 1) return ast.parts.back();
  const bool is_cast = ast.kind == Kind::kCast && ast.args[0].kind == Kind::kName;
  if (is_cast && expr.args.size() == 1 && expr.args[0]->kind == Expr::Kind::kColumn) {
    return expr.args[0]->name;
  }
  return ExprText(expr);
}

// One column of the select list.
struct Item {
  ExprPtr expr;
  PlanField field;
  bool has_alias = false;
  bool is_generated = false;
};

struct Generator {
  std::string function;
  std::vector<ExprPtr> args;
  std::vector<PlanField> fields;
  Span span;
};

struct OrderKey {
  ExprPtr expr;
  bool is_descending = false;
  bool nulls_first = true;
  Span span;
};

// Builds Aggregate, Filter (HAVING), Generate, Project, Aggregate (DISTINCT), Sort and Limit, in
// this order from the input up. Expressions are bound over the input first, with stand-ins for
// aggregate results and generated columns, and relocated once it is known where those columns are.
class SelectAnalyzer {
 public:
  // `star_fields`: the columns of the input but for those of time windows.
  SelectAnalyzer(const sql::Query& query, WindowedInput input, std::vector<PlanField> star_fields,
                 const AnalyzerContext& context)
      : query_(query),
        select_(*query.select),
        input_(std::move(input.plan)),
        context_(context),
        scope_(input_->output),
        star_scope_(std::move(star_fields)),
        time_columns_(std::move(input.columns)) {}

  arrow::Result<LogicalPlanPtr> Run();

 private:
  ExprBinder::Options BindOptions(bool aggregates, const SelectOutputs* outputs = nullptr) {
    return {context_.query, context_.zone.get(), aggregates ? &calls_ : nullptr, outputs,
            &time_columns_};
  }
  std::string TextOf(const sql::AstExpr& ast) const {
    return std::string(TextAt(context_.query, ast.span));
  }
  arrow::Status RefuseGenerator(const sql::AstExpr& ast, std::string_view clause) const;
  bool IsAggregation() const;
  Span AggregateSpan() const;

  arrow::Status RefuseClauses() const;
  arrow::Status BindItems();
  arrow::Status BindItem(const sql::SelectItem& item);
  arrow::Status BindGenerator(const sql::SelectItem& item);
  arrow::Status BindGroupKeys();
  arrow::Result<ExprPtr> BindGroupKey(const sql::AstExpr& ast);
  arrow::Status AddGroupKey(ExprPtr key, Span span);
  arrow::Result<ExprPtr> BindHaving();
  arrow::Result<std::vector<OrderKey>> BindOrder(const NameScope& scope,
                                                 const SelectOutputs& outputs, bool aggregates);
  arrow::Result<std::optional<int64_t>> BindLimit() const;

  arrow::Result<ExprPtr> Relocate(const ExprPtr& expr) const;
  arrow::Status MissingAggregation(const Expr& column) const;
  SelectOutputs Outputs(bool with_generated) const;
  int SessionKey() const;  // place of the session window among the keys, or -1
  arrow::Result<LogicalPlanPtr> BuildBase(ExprPtr having);
  arrow::Result<LogicalPlanPtr> BuildOrdered(LogicalPlanPtr base, std::vector<OrderKey> order);
  arrow::Result<LogicalPlanPtr> BuildDistinct(LogicalPlanPtr base);
  LogicalPlanPtr BuildSort(LogicalPlanPtr plan, const std::vector<OrderKey>& order,
                           std::vector<ExprPtr> exprs, std::vector<PlanField> fields) const;

  const sql::Query& query_;
  const sql::Select& select_;
  const LogicalPlanPtr input_;
  const AnalyzerContext& context_;
  const NameScope scope_;       // with the windows that the query names
  const NameScope star_scope_;  // without them
  const std::vector<TimeColumn> time_columns_;
  bool is_aggregation_ = false;
  std::vector<Item> items_;
  std::vector<AggregateCall> calls_;
  std::vector<ExprPtr> keys_;
  std::optional<Generator> generator_;
};

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
  for (const sql::SelectItem& item : select_.items) {
    if (FindAggregateCall(item.expr) != nullptr) return true;
  }
  return false;
}

Span SelectAnalyzer::AggregateSpan() const {
  if (!select_.group_by.empty()) {
    return {select_.group_by.front().span.begin, select_.group_by.back().span.end};
  }
  if (!calls_.empty()) return calls_.front().span;
  return select_.span;
}

arrow::Status SelectAnalyzer::BindItems() {
  for (const sql::SelectItem& item : select_.items) {
    if (item.expr.kind == Kind::kStar) {
      if (!item.expr.args.empty()) {
        return NotSupportedYet("STAR_EXCEPT", "* EXCEPT (...)", item.expr.span);
      }
      ARROW_ASSIGN_OR_RAISE(auto columns, star_scope_.ExpandStar(item.expr.parts, item.expr.span));
      for (auto& [expr, field] : columns) items_.push_back({std::move(expr), std::move(field)});
    } else if (IsGeneratorCall(item.expr)) {
      ARROW_RETURN_NOT_OK(BindGenerator(item));
    } else {
      ARROW_RETURN_NOT_OK(BindItem(item));
    }
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
  ExprBinder binder(scope_, BindOptions(/*aggregates=*/true));
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(item.expr));
  PlanField field{"", item.alias, expr->type};
  if (item.alias.empty()) {
    field.name = DefaultName(item.expr, *expr);
    const bool is_column = expr->kind == Expr::Kind::kColumn && expr->column < kAggregateColumns;
    if (is_column) field.qualifier = scope_.fields()[expr->column].qualifier;
  }
  items_.push_back({std::move(expr), std::move(field), !item.alias.empty()});
  return arrow::Status::OK();
}

arrow::Status SelectAnalyzer::BindGenerator(const sql::SelectItem& item) {
  if (generator_) {
    return QueryError("UNSUPPORTED_GENERATOR.MULTI_GENERATOR",
                      fmt::format("The generator is not supported: only one generator allowed per "
                                  "SELECT clause but found 2: \"{}\", \"{}\".",
                                  TextAt(context_.query, generator_->span), TextOf(item.expr)),
                      item.expr.span);
  }
  Generator generator{LowerCase(item.expr.name), {}, {}, item.expr.span};
  ExprBinder binder(scope_, BindOptions(/*aggregates=*/true));
  ARROW_ASSIGN_OR_RAISE(generator.args, binder.BindAll(item.expr.args));
  ARROW_RETURN_NOT_OK(RewriteGenerator(&generator.function, &generator.args, item.expr.span));
  ARROW_ASSIGN_OR_RAISE(auto fields,
                        GeneratedFields(generator.function, generator.args, item.expr.span));
  std::vector<std::string> names = item.alias_list;
  if (!item.alias.empty()) names = {item.alias};
  ARROW_ASSIGN_OR_RAISE(generator.fields,
                        RenameGenerated(std::move(fields), names, item.expr.span));
  int column = kGeneratedColumns;
  for (const PlanField& field : generator.fields) {
    items_.push_back({MakeColumn(column++, field.name, field.type, item.expr.span), field,
                      !names.empty(), /*is_generated=*/true});
  }
  generator_ = std::move(generator);
  return arrow::Status::OK();
}

arrow::Status SelectAnalyzer::AddGroupKey(ExprPtr key, Span span) {
  if (HasMap(*key->type)) {
    return QueryError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                      fmt::format("The expression {} cannot be used as a grouping expression "
                                  "because its data type {} is not an orderable data type.",
                                  QuotedSql(ExprText(*key)), QuotedType(*key->type)),
                      span);
  }
  for (const ExprPtr& known : keys_) {
    if (ExprEquals(*known, *key)) return arrow::Status::OK();
  }
  keys_.push_back(std::move(key));
  return arrow::Status::OK();
}

arrow::Result<ExprPtr> SelectAnalyzer::BindGroupKey(const sql::AstExpr& ast) {
  ARROW_RETURN_NOT_OK(RefuseGenerator(ast, "GROUP BY"));
  if (const sql::AstExpr* call = FindAggregateCall(ast)) {
    return QueryError("GROUP_BY_AGGREGATE",
                      fmt::format("Aggregate functions are not allowed in GROUP BY, but found {}.",
                                  TextOf(*call)),
                      call->span);
  }
  const std::optional<int64_t> ordinal = OrdinalOf(ast);
  const Item* item = nullptr;
  if (ordinal) {
    if (*ordinal < 1 || *ordinal > static_cast<int64_t>(items_.size())) {
      return QueryError("GROUP_BY_POS_OUT_OF_RANGE",
                        fmt::format("GROUP BY position {} is not in select list (valid range is "
                                    "[1, {}]).",
                                    *ordinal, items_.size()),
                        ast.span);
    }
    item = &items_[*ordinal - 1];
  } else if (ast.kind == Kind::kName && ast.parts.size() == 1 &&
             scope_.Matches(ast.parts).empty()) {
    for (const Item& candidate : items_) {
      const bool is_match =
          candidate.has_alias && EqualsIgnoreCase(candidate.field.name, ast.parts[0]);
      if (is_match && item == nullptr) item = &candidate;
    }
  }
  if (item == nullptr) {
    ExprBinder binder(scope_, BindOptions(/*aggregates=*/false));
    return binder.Bind(ast);
  }
  if (item->is_generated) {
    return QueryError("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                      fmt::format("The generator is not supported: outside the SELECT clause, "
                                  "found: GROUP BY {}.",
                                  TextAt(context_.query, generator_->span)),
                      ast.span, "generate the rows in a subquery in FROM, or with LATERAL VIEW");
  }
  if (!HasAggregateColumn(*item->expr)) return item->expr;
  if (!ordinal) {
    return QueryError("GROUP_BY_AGGREGATE",
                      fmt::format("Aggregate functions are not allowed in GROUP BY, but found {}.",
                                  ExprText(*item->expr)),
                      ast.span);
  }
  return QueryError("GROUP_BY_POS_AGGREGATE",
                    fmt::format("GROUP BY {} refers to an expression {} that contains an aggregate "
                                "function. Aggregate functions are not allowed in GROUP BY.",
                                *ordinal, ExprText(*item->expr)),
                    ast.span);
}

arrow::Status SelectAnalyzer::BindGroupKeys() {
  for (const sql::GroupingElement& element : select_.group_by) {
    const sql::AstExpr& ast = element.exprs.front();
    ARROW_ASSIGN_OR_RAISE(ExprPtr key, BindGroupKey(ast));
    ARROW_RETURN_NOT_OK(AddGroupKey(std::move(key), ast.span));
  }
  if (!select_.group_by_all) return arrow::Status::OK();
  if (generator_)
    return NotSupportedYet("GROUP_BY_ALL_WITH_GENERATOR", "GROUP BY ALL with a generator",
                           generator_->span);
  for (const Item& item : items_) {
    if (HasAggregateColumn(*item.expr)) continue;
    ARROW_RETURN_NOT_OK(AddGroupKey(item.expr, item.expr->span));
  }
  return arrow::Status::OK();
}

arrow::Result<ExprPtr> SelectAnalyzer::BindHaving() {
  if (!select_.having) return nullptr;
  ARROW_RETURN_NOT_OK(RefuseGenerator(*select_.having, "HAVING"));
  const SelectOutputs outputs = Outputs(/*with_generated=*/false);
  ExprBinder binder(scope_, BindOptions(/*aggregates=*/true, &outputs));
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, binder.Bind(*select_.having));
  return RequireBoolean(std::move(condition), select_.having->span);
}

arrow::Result<std::vector<OrderKey>> SelectAnalyzer::BindOrder(const NameScope& scope,
                                                               const SelectOutputs& outputs,
                                                               bool aggregates) {
  std::vector<OrderKey> order;
  for (const sql::OrderItem& item : query_.order_by) {
    ARROW_RETURN_NOT_OK(RefuseGenerator(item.expr, "ORDER BY"));
    OrderKey key{nullptr, item.descending, item.nulls_first.value_or(!item.descending),
                 item.expr.span};
    if (const std::optional<int64_t> ordinal = OrdinalOf(item.expr)) {
      const auto size = static_cast<int64_t>(outputs.exprs.size());
      if (*ordinal < 1 || *ordinal > size) {
        return QueryError("ORDER_BY_POS_OUT_OF_RANGE",
                          fmt::format("ORDER BY position {} is not in select list (valid range is "
                                      "[1, {}]).",
                                      *ordinal, size),
                          item.expr.span);
      }
      key.expr = outputs.exprs[*ordinal - 1];
    } else {
      ExprBinder binder(scope, BindOptions(aggregates, &outputs));
      ARROW_ASSIGN_OR_RAISE(key.expr, binder.Bind(item.expr));
    }
    if (HasMap(*key.expr->type)) {
      return QueryError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                        fmt::format("Cannot resolve {} due to data type mismatch: The `sortorder` "
                                    "does not support ordering on type {}.",
                                    QuotedSql(ExprText(*key.expr)), QuotedType(*key.expr->type)),
                        item.expr.span);
    }
    order.push_back(std::move(key));
  }
  return order;
}

arrow::Result<std::optional<int64_t>> SelectAnalyzer::BindLimit() const {
  if (!query_.limit) return std::nullopt;
  const Span span = query_.limit->span;
  const std::string text = QuotedSql(TextOf(*query_.limit));
  auto invalid = [&](std::string_view sub_class, std::string_view rule) {
    return QueryError(fmt::format("INVALID_LIMIT_LIKE_EXPRESSION.{}", sub_class),
                      fmt::format("The limit like expression {} is invalid. {}", text, rule), span);
  };
  const NameScope nothing({});
  ExprBinder binder(nothing, {context_.query, context_.zone.get()});
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(*query_.limit));
  if (expr->kind != Expr::Kind::kLiteral) {
    EvalContext context;
    context.zone = context_.zone;
    context.pool = arrow::default_memory_pool();
    expr = FoldConstant(expr, context);
  }
  if (expr == nullptr || expr->kind != Expr::Kind::kLiteral) {
    return invalid("IS_UNFOLDABLE", "The limit expression must evaluate to a constant value.");
  }
  if (expr->type->id() != arrow::Type::INT32) {
    return invalid("DATA_TYPE", fmt::format("The limit expression must be integer type, but got "
                                            "{}.",
                                            QuotedType(*expr->type)));
  }
  if (!expr->literal->is_valid) {
    return invalid("IS_NULL", "The evaluated limit expression must not be null.");
  }
  const int64_t count = static_cast<const arrow::Int32Scalar&>(*expr->literal).value;
  if (count >= 0) return count;
  return invalid("IS_NEGATIVE", fmt::format("The limit expression must be equal to or greater than "
                                            "0, but got {}.",
                                            count));
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

arrow::Result<ExprPtr> SelectAnalyzer::Relocate(const ExprPtr& expr) const {
  const bool is_column = expr->kind == Expr::Kind::kColumn;
  const auto num_keys = static_cast<int>(keys_.size());
  auto moved = [&](int column) { return MakeColumn(column, expr->name, expr->type, expr->span); };
  if (is_column && expr->column >= kGeneratedColumns) {
    const int base = is_aggregation_ ? num_keys + static_cast<int>(calls_.size())
                                     : static_cast<int>(input_->output.size());
    return moved(base + expr->column - kGeneratedColumns);
  }
  if (!is_aggregation_ && generator_ == std::nullopt) return expr;
  if (is_column && expr->column >= kAggregateColumns) {
    return moved(num_keys + expr->column - kAggregateColumns);
  }
  for (int i = 0; is_aggregation_ && i < num_keys; ++i) {
    if (!ExprEquals(*keys_[i], *expr)) continue;
    return MakeColumn(i, is_column ? expr->name : ExprText(*expr), expr->type, expr->span);
  }
  if (is_column && is_aggregation_) return MissingAggregation(*expr);
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) {
    ARROW_ASSIGN_OR_RAISE(arg, Relocate(arg));
  }
  return copy;
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

arrow::Result<LogicalPlanPtr> SelectAnalyzer::BuildBase(ExprPtr having) {
  LogicalPlanPtr plan = input_;
  if (is_aggregation_) {
    plan = MakeAggregate(std::move(plan), keys_, calls_, AggregateSpan());
    plan = WithSessionKey(std::move(plan), SessionKey());
  }
  if (having != nullptr) {
    ARROW_ASSIGN_OR_RAISE(having, Relocate(having));
    plan = MakeFilter(std::move(plan), std::move(having), select_.having->span);
  }
  if (generator_) {
    for (ExprPtr& arg : generator_->args) {
      ARROW_ASSIGN_OR_RAISE(arg, Relocate(arg));
    }
    std::vector<int> kept(plan->output.size());
    std::iota(kept.begin(), kept.end(), 0);
    plan = MakeGenerate(std::move(plan), generator_->function, generator_->args, std::move(kept),
                        generator_->fields, generator_->span);
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
    ARROW_RETURN_NOT_OK(AddGroupKey(columns.back(), columns.back()->span));
  }
  plan = MakeAggregate(std::move(plan), columns, {}, select_.span);
  const SelectOutputs outputs{NameScope(fields), columns};
  ARROW_ASSIGN_OR_RAISE(auto order, BindOrder(outputs.names, outputs, /*aggregates=*/false));
  return BuildSort(std::move(plan), order, std::move(columns), fields);
}

// Clauses that are parsed and have no operator yet.
arrow::Status SelectAnalyzer::RefuseClauses() const {
  for (const sql::GroupingElement& element : select_.group_by) {
    if (element.kind == sql::GroupingElement::Kind::kSet) continue;
    return NotSupportedYet("GROUPING_SETS", "ROLLUP, CUBE and GROUPING SETS", element.span);
  }
  if (!select_.windows.empty()) {
    return NotSupportedYet("WINDOW_CLAUSE", "WINDOW", select_.windows.front().spec.span);
  }
  if (select_.qualify) return NotSupportedYet("QUALIFY", "QUALIFY", select_.qualify->span);
  if (query_.order_by_all) {
    return NotSupportedYet("ORDER_BY_ALL", "ORDER BY ALL", query_.all_order.expr.span);
  }
  if (query_.offset) return NotSupportedYet("OFFSET", "OFFSET", query_.offset->span);
  return arrow::Status::OK();
}

arrow::Result<LogicalPlanPtr> SelectAnalyzer::Run() {
  ARROW_RETURN_NOT_OK(RefuseClauses());
  is_aggregation_ = IsAggregation();
  ARROW_RETURN_NOT_OK(BindItems());
  ARROW_RETURN_NOT_OK(BindGroupKeys());
  ARROW_ASSIGN_OR_RAISE(ExprPtr having, BindHaving());
  std::vector<OrderKey> order;
  if (!select_.is_distinct) {
    ARROW_ASSIGN_OR_RAISE(order,
                          BindOrder(scope_, Outputs(/*with_generated=*/true), is_aggregation_));
  }
  ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> limit, BindLimit());

  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, BuildBase(std::move(having)));
  if (select_.is_distinct) {
    ARROW_ASSIGN_OR_RAISE(plan, BuildDistinct(std::move(plan)));
  } else {
    ARROW_ASSIGN_OR_RAISE(plan, BuildOrdered(std::move(plan), std::move(order)));
  }
  if (limit) plan = MakeLimit(std::move(plan), *limit, query_.limit->span);
  return plan;
}

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeSelectList(const sql::Query& query, LogicalPlanPtr input,
                                                const AnalyzerContext& context) {
  std::vector<PlanField> star_fields = input->output;
  ARROW_ASSIGN_OR_RAISE(WindowedInput windowed, AddTimeColumns(query, std::move(input), context));
  return SelectAnalyzer(query, std::move(windowed), std::move(star_fields), context).Run();
}

}  // namespace tidemill::driver
