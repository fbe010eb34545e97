#include "driver/plan/analyze/relation/inline_table.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/evaluator.h"
#include "common/expr/function_registry.h"
#include "connectors/memory/values_source.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

arrow::Status Invalid(std::string_view sub_class, std::string_view what, Span span) {
  return QueryError(fmt::format("INVALID_INLINE_TABLE.{}", sub_class),
                    fmt::format("Invalid inline table. {}", what), span);
}

arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const ExprPtr& expr,
                                                      const QueryScope& scope) {
  EvalContext context;
  context.zone = scope.context.zone;
  context.pool = arrow::default_memory_pool();
  const ExprPtr value = IsDeterministic(*expr) ? FoldConstant(expr, context) : nullptr;
  if (value != nullptr) return arrow::MakeArrayFromScalar(*value->literal, 1);
  return Invalid("CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                 fmt::format("Cannot evaluate the expression {} in inline table definition.",
                             QuotedSql(ExprText(*expr))),
                 expr->span);
}

// Column `column` of the rows, in the type that holds all of them.
arrow::Result<std::shared_ptr<arrow::Array>> ColumnOf(const std::vector<std::vector<ExprPtr>>& rows,
                                                      size_t column, Span span,
                                                      const QueryScope& scope) {
  std::shared_ptr<arrow::DataType> type = rows[0][column]->type;
  for (const auto& row : rows) {
    type = CommonType(type, row[column]->type);
    if (type != nullptr) continue;
    return Invalid(
        "INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
        fmt::format("Found incompatible types in the column `col{}` for inline table.", column + 1),
        span);
  }
  arrow::ArrayVector values;
  for (const auto& row : rows) {
    ARROW_ASSIGN_OR_RAISE(const ExprPtr value, ImplicitCast(row[column], type));
    ARROW_ASSIGN_OR_RAISE(auto array, Evaluate(value, scope));
    values.push_back(std::move(array));
  }
  return arrow::Concatenate(values);
}

arrow::Result<std::vector<std::vector<ExprPtr>>> BindRows(const sql::InlineTable& table,
                                                          const QueryScope& scope) {
  const NameScope nothing({});
  std::vector<std::vector<ExprPtr>> rows;
  const size_t width =
      table.column_aliases.empty() ? table.rows[0].size() : table.column_aliases.size();
  for (const std::vector<sql::AstExpr>& row : table.rows) {
    ExprBinder binder(
        nothing,
        {.query = scope.context.query, .zone = scope.context.zone.get(), .outer = scope.outer});
    ARROW_ASSIGN_OR_RAISE(auto exprs, binder.BindAll(row));
    if (exprs.size() != width) {
      return Invalid("NUM_COLUMNS_MISMATCH",
                     fmt::format("Inline table expected {} columns but found {} columns in row {}.",
                                 width, exprs.size(), rows.size()),
                     table.span);
    }
    rows.push_back(std::move(exprs));
  }
  return rows;
}

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeInlineTable(const sql::InlineTable& table,
                                                 const QueryScope& scope) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, BindRows(table, scope));
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (size_t column = 0; column < rows[0].size(); ++column) {
    ARROW_ASSIGN_OR_RAISE(auto values, ColumnOf(rows, column, table.span, scope));
    fields.push_back(arrow::field(fmt::format("col{}", column + 1), values->type()));
    columns.push_back(std::move(values));
  }
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema(std::move(fields)), static_cast<int64_t>(rows.size()), std::move(columns));
  ARROW_ASSIGN_OR_RAISE(auto source, connectors::ValuesSourceOf("VALUES", batch));
  LogicalPlanPtr plan = MakeSubqueryAlias(MakeRead(std::move(source), table.span), "", table.span);
  if (table.alias.empty()) return plan;
  ARROW_ASSIGN_OR_RAISE(plan, RenameColumns(std::move(plan), table.column_aliases, table.span));
  return MakeSubqueryAlias(std::move(plan), table.alias, table.span);
}

arrow::Result<LogicalPlanPtr> OneRow(Span span) {
  ARROW_ASSIGN_OR_RAISE(auto column, arrow::MakeArrayOfNull(arrow::boolean(), 1));
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("unused", arrow::boolean())}), 1, {std::move(column)});
  ARROW_ASSIGN_OR_RAISE(auto source, connectors::ValuesSourceOf("OneRow", batch));
  return MakeRead(std::move(source), std::vector<int>{}, span);
}

}  // namespace tidemill::driver
