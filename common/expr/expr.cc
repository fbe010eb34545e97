#include "common/expr/expr.h"

#include <arrow/compare.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "common/expr/function_registry.h"

namespace tidemill {

namespace {

bool LiteralEquals(const Expr& a, const Expr& b) {
  if (!a.literal || !b.literal) return a.literal == b.literal;
  return a.literal->Equals(*b.literal, arrow::EqualOptions::Defaults().nans_equal(true));
}

}  // namespace

ExprPtr MakeColumn(int column, std::string name, std::shared_ptr<arrow::DataType> type, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kColumn;
  expr->column = column;
  expr->name = std::move(name);
  expr->type = std::move(type);
  expr->span = span;
  return expr;
}

ExprPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kLiteral;
  expr->type = value->type;
  expr->literal = std::move(value);
  expr->span = span;
  return expr;
}

ExprPtr MakeParameter(int number, std::string name, std::shared_ptr<arrow::DataType> type,
                      Span span) {
  auto expr = std::make_shared<Expr>(*MakeColumn(number, std::move(name), std::move(type), span));
  expr->kind = Expr::Kind::kParameter;
  return expr;
}

ExprPtr MakeLambda(ExprPtr body, std::vector<ExprPtr> parameters, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kLambda;
  expr->type = body->type;
  expr->args = std::move(parameters);
  expr->args.insert(expr->args.begin(), std::move(body));
  expr->span = span;
  return expr;
}

bool ExprEquals(const Expr& a, const Expr& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.args.size() != b.args.size() || !a.type->Equals(*b.type)) return false;
  switch (a.kind) {
    case Expr::Kind::kLiteral:
      return LiteralEquals(a, b);
    case Expr::Kind::kColumn:
    case Expr::Kind::kParameter:
      return a.column == b.column;
    case Expr::Kind::kCall:
    case Expr::Kind::kLambda:
      break;
  }
  if (a.name != b.name) return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!ExprEquals(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

namespace {

// Whether `holds` is true for every function that the expression calls.
template <class Predicate>
bool ForAllFunctions(const Expr& expr, const Predicate& holds) {
  if (expr.kind == Expr::Kind::kCall) {
    const FunctionInfo* info = FindFunction(expr.name);
    if (info != nullptr && !holds(*info)) return false;
  }
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [&](const ExprPtr& arg) { return ForAllFunctions(*arg, holds); });
}

}  // namespace

bool IsDeterministic(const Expr& expr) {
  return ForAllFunctions(expr, [](const FunctionInfo& info) { return info.is_deterministic; });
}

bool IsRepeatable(const Expr& expr) {
  return ForAllFunctions(
      expr, [](const FunctionInfo& info) { return info.is_deterministic && !info.reads_context; });
}

void CollectColumns(const Expr& expr, std::vector<bool>* used) {
  if (expr.kind == Expr::Kind::kColumn) {
    const auto column = static_cast<size_t>(expr.column);
    if (used->size() <= column) used->resize(column + 1);
    (*used)[column] = true;
  }
  for (const ExprPtr& arg : expr.args) CollectColumns(*arg, used);
}

ExprPtr SubstituteColumns(const ExprPtr& expr, const std::vector<ExprPtr>& replacement) {
  if (expr->kind == Expr::Kind::kColumn) return replacement[expr->column];
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  copy->text.clear();  // It may name the old columns.
  for (ExprPtr& arg : copy->args) arg = SubstituteColumns(arg, replacement);
  return copy;
}

}  // namespace tidemill
