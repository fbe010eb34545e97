#include "driver/plan/analyze/event_time/watermark.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/name_scope.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

// Months have no length of their own; Spark counts 31 days.
constexpr int64_t kMicrosPerMonth = int64_t{31} * 86'400'000'000;

bool IsTimeWindow(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRUCT && type.num_fields() == 2 &&
         type.field(0)->name() == "start" && type.field(1)->name() == "end" &&
         IsInstantType(*type.field(1)->type());
}

arrow::Status CheckColumn(const PlanField& field, Span span) {
  if (IsInstantType(*field.type) || IsTimeWindow(*field.type)) {
    return arrow::Status::OK();
  }
  return QueryError("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
                    fmt::format("The event time {} has the invalid type {}, but expected "
                                "\"TIMESTAMP\".",
                                QuotedName(field.name), QuotedType(*field.type)),
                    span);
}

arrow::Result<int64_t> DelayOf(const sql::AstExpr& ast) {
  auto literal = ParseIntervalLiteral(ast.text);
  if (!literal.ok()) {
    return MakeError(KindOf(literal.status()), ErrorClassOf(literal.status()),
                     literal.status().message(), ast.span);
  }
  const int64_t delay_us =
      literal->range.is_year_month() ? literal->value * kMicrosPerMonth : literal->value;
  if (delay_us >= 0) return delay_us;
  return QueryError("INVALID_WATERMARK_DELAY",
                    fmt::format("delay threshold ({}) should not be negative.", ast.text),
                    ast.span);
}

arrow::Result<LogicalPlanPtr> OnColumn(LogicalPlanPtr plan, int column, int64_t delay_us,
                                       std::string definition, Span span) {
  ARROW_RETURN_NOT_OK(CheckColumn(plan->output[column], span));
  if (!IsStreaming(plan)) return plan;
  return MakeWithWatermark(std::move(plan), column, delay_us, std::move(definition), span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> AddWatermark(LogicalPlanPtr plan, const sql::Watermark& watermark,
                                           const AnalyzerContext& context) {
  ARROW_ASSIGN_OR_RAISE(const int64_t delay_us, DelayOf(watermark.delay));
  const NameScope scope(plan->output);
  ExprBinder binder(scope, {context.query, context.zone.get()});
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, binder.Bind(watermark.column.expr));
  const Span span = watermark.column.expr.span;
  const std::string definition = fmt::format("at {}", watermark.span.begin);
  if (expr->kind == Expr::Kind::kColumn && watermark.column.alias.empty()) {
    return OnColumn(std::move(plan), expr->column, delay_us, definition, span);
  }
  std::vector<PlanField> fields = plan->output;
  std::vector<ExprPtr> exprs = ColumnsOf(fields);
  const auto column = static_cast<int>(fields.size());
  const std::string name =
      watermark.column.alias.empty() ? ExprText(*expr) : watermark.column.alias;
  fields.push_back({"", name, expr->type});
  exprs.push_back(std::move(expr));
  plan = MakeProject(std::move(plan), std::move(exprs), std::move(fields), watermark.span);
  return OnColumn(std::move(plan), column, delay_us, definition, span);
}

arrow::Result<LogicalPlanPtr> AddWatermark(LogicalPlanPtr plan, const SourceWatermark& watermark,
                                           Span span) {
  const NameScope scope(plan->output);
  ARROW_ASSIGN_OR_RAISE(ExprPtr found, scope.Find({watermark.column}, span));
  if (found == nullptr) return scope.Unresolved({watermark.column}, span, /*is_bare=*/true);
  return OnColumn(std::move(plan), found->column, watermark.delay_us, "of " + watermark.source,
                  span);
}

}  // namespace tidemill::driver
