#include "tests/fuzz/bound_expression.h"

#include <arrow/type.h>

#include <utility>
#include <vector>

#include "driver/plan/analyze/expr_binder.h"
#include "driver/sql/parser.h"

namespace tidemill::fuzz {

arrow::Result<ExprPtr> BindExpression(std::string_view text, const arrow::Schema& schema,
                                      const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(const driver::sql::AstExpr ast, driver::sql::ParseExpression(text));
  if (driver::FindAggregateCall(ast) != nullptr || driver::FindGeneratorCall(ast) != nullptr) {
    return arrow::Status::Invalid("not an expression of a row");
  }
  std::vector<driver::PlanField> fields;
  for (const auto& field : schema.fields()) {
    fields.push_back({.qualifier = "t", .name = field->name(), .type = field->type()});
  }
  const driver::NameScope scope(std::move(fields));
  driver::ExprBinder binder(scope, {.query = text, .zone = context.zone.get()});
  return binder.Bind(ast);
}

}  // namespace tidemill::fuzz
