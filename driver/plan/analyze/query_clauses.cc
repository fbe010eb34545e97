#include "driver/plan/analyze/query_clauses.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "common/expr/evaluator.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

// The value of LIMIT or OFFSET (`what`).
arrow::Result<int64_t> BindCount(const sql::AstExpr& ast, std::string_view what,
                                 const LogicalPlan& plan, const QueryScope& scope) {
  const AnalyzerContext& context = scope.context;
  const std::string text = QuotedSql(TextAt(context.query, ast.span));
  auto invalid = [&](std::string_view sub_class, std::string_view rule) {
    return QueryError(fmt::format("INVALID_LIMIT_LIKE_EXPRESSION.{}", sub_class),
                      fmt::format("The limit like expression {} is invalid. {}", text, rule),
                      ast.span);
  };
  const NameScope names(plan.output);
  ExprBinder binder(names, {context.query, context.zone.get()});
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(ast));
  if (expr->kind != Expr::Kind::kLiteral) {
    EvalContext evaluation;
    evaluation.zone = context.zone;
    evaluation.pool = arrow::default_memory_pool();
    expr = FoldConstant(expr, evaluation);
  }
  if (expr == nullptr || expr->kind != Expr::Kind::kLiteral) {
    return invalid("IS_UNFOLDABLE",
                   fmt::format("The {} expression must evaluate to a constant value.", what));
  }
  if (expr->type->id() != arrow::Type::INT32) {
    return invalid("DATA_TYPE", fmt::format("The {} expression must be integer type, but got {}.",
                                            what, QuotedType(*expr->type)));
  }
  if (!expr->literal->is_valid) {
    return invalid("IS_NULL", fmt::format("The evaluated {} expression must not be null.", what));
  }
  const int64_t count = static_cast<const arrow::Int32Scalar&>(*expr->literal).value;
  if (count >= 0) return count;
  return invalid("IS_NEGATIVE", fmt::format("The {} expression must be equal to or greater than "
                                            "0, but got {}.",
                                            what, count));
}

SortKey KeyOf(const sql::OrderItem& item, ExprPtr expr) {
  return {std::move(expr), item.descending, item.nulls_first.value_or(!item.descending)};
}

}  // namespace

bool HasMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  for (const auto& field : type.fields()) {
    if (HasMap(*field->type())) return true;
  }
  return false;
}

arrow::Status CheckOrderable(const Expr& key, Span span) {
  if (!HasMap(*key.type)) return arrow::Status::OK();
  return QueryError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                    fmt::format("Cannot resolve {} due to data type mismatch: The `sortorder` does "
                                "not support ordering on type {}.",
                                QuotedSql(ExprText(key)), QuotedType(*key.type)),
                    span);
}

arrow::Result<int> OrdinalOf(const sql::AstExpr& ast, size_t num_columns, std::string_view clause) {
  if (ast.kind != sql::AstExpr::Kind::kInteger || !ast.literal_type.empty()) return -1;
  int64_t value = 0;
  const auto parsed = std::from_chars(ast.text.data(), ast.text.data() + ast.text.size(), value);
  if (parsed.ec != std::errc()) return -1;
  if (value >= 1 && value <= static_cast<int64_t>(num_columns)) return static_cast<int>(value - 1);
  return QueryError(fmt::format("{}_BY_POS_OUT_OF_RANGE", clause),
                    fmt::format("{} BY position {} is not in select list (valid range is [1, {}]).",
                                clause, value, num_columns),
                    ast.span);
}

arrow::Result<LogicalPlanPtr> ApplyOrderBy(const sql::Query& query, LogicalPlanPtr plan,
                                           const QueryScope& scope) {
  if (query.order_by.empty() && !query.order_by_all) return plan;
  std::vector<SortKey> keys;
  Span span = query.all_order.expr.span;
  for (int i = 0; query.order_by_all && i < static_cast<int>(plan->output.size()); ++i) {
    keys.push_back(KeyOf(query.all_order, ColumnAt(*plan, i, span)));
  }
  const NameScope names(plan->output);
  for (const sql::OrderItem& item : query.order_by) {
    ARROW_ASSIGN_OR_RAISE(const int ordinal, OrdinalOf(item.expr, plan->output.size(), "ORDER"));
    ExprPtr expr;
    if (ordinal >= 0) {
      expr = ColumnAt(*plan, ordinal, item.expr.span);
    } else {
      ExprBinder binder(names, {scope.context.query, scope.context.zone.get()});
      ARROW_ASSIGN_OR_RAISE(expr, binder.Bind(item.expr));
    }
    keys.push_back(KeyOf(item, std::move(expr)));
  }
  if (!query.order_by.empty()) {
    span = {query.order_by.front().expr.span.begin, query.order_by.back().expr.span.end};
  }
  for (const SortKey& key : keys) ARROW_RETURN_NOT_OK(CheckOrderable(*key.expr, span));
  return MakeSort(std::move(plan), std::move(keys), span);
}

namespace {

bool IsNumber(const sql::AstExpr& arg) { return arg.kind == sql::AstExpr::Kind::kInteger; }

// What the hints about partitions take: a number of partitions, then columns.
arrow::Status CheckHint(const sql::Hint& hint, const NameScope& names, const QueryScope& scope) {
  const bool is_coalesce = EqualsIgnoreCase(hint.name, "COALESCE");
  if (is_coalesce && (hint.args.size() != 1 || !IsNumber(hint.args[0]))) {
    return QueryError("INVALID_HINT_PARAMETER",
                      "COALESCE Hint expects a partition number as a parameter.", hint.span);
  }
  const bool takes_columns = EqualsIgnoreCase(hint.name, "REPARTITION") ||
                             EqualsIgnoreCase(hint.name, "REPARTITION_BY_RANGE") ||
                             EqualsIgnoreCase(hint.name, "REBALANCE");
  for (const sql::AstExpr& arg : hint.args) {
    if (!takes_columns || (IsNumber(arg) && &arg == &hint.args[0])) continue;
    sql::AstExpr name = arg;
    if (arg.kind == sql::AstExpr::Kind::kString) {
      name.kind = sql::AstExpr::Kind::kName;
      name.parts = {arg.text};
    }
    ExprBinder binder(names, {scope.context.query, scope.context.zone.get()});
    ARROW_RETURN_NOT_OK(binder.Bind(name).status());
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status CheckDistribution(const sql::Query& query, const LogicalPlan& plan,
                                const NameScope* input, const QueryScope& scope) {
  const NameScope names(plan.output);
  for (const sql::AstExpr& key : query.distribute_by) {
    ExprBinder binder(names, {scope.context.query, scope.context.zone.get()});
    arrow::Status status = binder.Bind(key).status();
    if (status.ok()) continue;
    const bool is_unknown = ErrorClassOf(status).starts_with("UNRESOLVED_COLUMN");
    if (input == nullptr || !is_unknown) return status;
    ExprBinder below(*input, {scope.context.query, scope.context.zone.get()});
    if (!below.Bind(key).ok()) return status;
  }
  if (query.select == nullptr) return arrow::Status::OK();
  for (const sql::Hint& hint : query.select->hints) {
    ARROW_RETURN_NOT_OK(CheckHint(hint, names, scope));
  }
  return arrow::Status::OK();
}

arrow::Result<LogicalPlanPtr> ApplyLimit(const sql::Query& query, LogicalPlanPtr plan,
                                         const QueryScope& scope) {
  if (!query.limit && !query.offset) return plan;
  int64_t count = std::numeric_limits<int64_t>::max();
  int64_t offset = 0;
  if (query.limit) {
    ARROW_ASSIGN_OR_RAISE(count, BindCount(*query.limit, "limit", *plan, scope));
  }
  if (query.offset) {
    ARROW_ASSIGN_OR_RAISE(offset, BindCount(*query.offset, "offset", *plan, scope));
  }
  return MakeLimit(std::move(plan), count, offset,
                   query.limit ? query.limit->span : query.offset->span);
}

}  // namespace tidemill::driver
