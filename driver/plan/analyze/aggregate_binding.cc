#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/aggregates/aggregate_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/lateral_aliases.h"
#include "driver/plan/logical/plan_error.h"

// Calls of aggregate functions: WITHIN GROUP, FILTER, IGNORE NULLS.
namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

bool IsSameCall(const AggregateCall& a, const AggregateCall& b) {
  if (a.signature.name != b.signature.name || a.is_distinct != b.is_distinct) return false;
  if (a.text != b.text || a.has_filter != b.has_filter) return false;
  return std::equal(
      a.args.begin(), a.args.end(), b.args.begin(), b.args.end(),
      [](const ExprPtr& x, const ExprPtr& y) { return IsDeterministic(*x) && ExprEquals(*x, *y); });
}

}  // namespace

arrow::Result<ExprPtr> ExprBinder::BindAggregate(const sql::AstExpr& ast) {
  if (!parameters_.empty()) {
    return NotSupportedYet("LAMBDA_WITH_AGGREGATE", "an aggregate function in a lambda", ast.span);
  }
  if (is_in_aggregate_) {
    return QueryError("NESTED_AGGREGATE_FUNCTION",
                      "It is not allowed to use an aggregate function in the argument of another "
                      "aggregate function. Please use the inner aggregate function in a sub-query.",
                      ast.span);
  }
  if (options_.calls == nullptr) {
    return UnsupportedExpression(TextOf(ast), ast.span);
  }
  ARROW_ASSIGN_OR_RAISE(AggregateCall call, BindAggregateCall(ast));
  if (const Expr* alias = FindAliasIn(call.args)) {
    return AliasNotAllowed(*alias, "AGGREGATE_FUNC", "the aggregate function", call.text);
  }
  std::vector<AggregateCall>& calls = *options_.calls;
  auto same = std::find_if(calls.begin(), calls.end(),
                           [&](const AggregateCall& known) { return IsSameCall(known, call); });
  const auto index = static_cast<int>(same - calls.begin());
  ExprPtr result = MakeColumn(kAggregateColumns + index, call.text, call.signature.type, ast.span);
  if (same == calls.end()) calls.push_back(std::move(call));
  return result;
}

// IGNORE NULLS is an argument of the functions that have it.
arrow::Status ExprBinder::BindIgnoreNulls(const sql::AstExpr& ast, std::string* name,
                                          std::vector<ExprPtr>* args) const {
  const std::optional<bool>& ignore_nulls = ast.clauses->ignore_nulls;
  if (!ignore_nulls) return arrow::Status::OK();
  const std::string canonical = FindAggregate(ast.name)->name;
  const std::string_view syntax = *ignore_nulls ? "IGNORE NULLS" : "RESPECT NULLS";
  if (canonical == "collect_list" && *ignore_nulls) return arrow::Status::OK();
  if (canonical != "first" && canonical != "last" && canonical != "any_value") {
    return UnsupportedSyntax(ast, syntax);
  }
  *name = canonical;
  if (*ignore_nulls && args->size() == 1) {
    args->push_back(MakeLiteral(std::make_shared<arrow::BooleanScalar>(true), ast.span));
  }
  return arrow::Status::OK();
}

arrow::Status ExprBinder::BindFilter(const sql::AstExpr& filter, AggregateCall* call) {
  auto invalid = [&](std::string_view subclass, std::string_view rule) {
    return QueryError(
        fmt::format("INVALID_AGGREGATE_FILTER.{}", subclass),
        fmt::format("The FILTER expression {} in an aggregate function is invalid. {}",
                    TextOf(filter), rule),
        filter.span);
  };
  if (const sql::AstExpr* inner = FindAggregateCall(filter)) {
    return invalid("CONTAINS_AGGREGATE",
                   fmt::format("Expected a FILTER expression without an aggregation, but found {}.",
                               TextOf(*inner)));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, Bind(filter));
  if (condition->type->id() != arrow::Type::BOOL) {
    return invalid("NOT_BOOLEAN", "Expected a FILTER expression of the BOOLEAN type.");
  }
  if (!IsDeterministic(*condition)) {
    return invalid("NON_DETERMINISTIC", "Expected a deterministic FILTER expression.");
  }
  call->text += fmt::format(" FILTER (WHERE {})", ExprText(*condition));
  call->has_filter = true;
  call->args.push_back(std::move(condition));
  return arrow::Status::OK();
}

arrow::Result<AggregateCall> ExprBinder::BindAggregateCall(const sql::AstExpr& ast) {
  std::vector<ExprPtr> args;
  const bool is_count = EqualsIgnoreCase(ast.name, "count");
  if (is_count && ast.args.size() == 1 && ast.args[0].kind == Kind::kStar &&
      ast.args[0].parts.empty() && !ast.is_distinct) {
    args.push_back(MakeLiteral(std::make_shared<arrow::Int32Scalar>(1), ast.args[0].span));
  } else {
    // A window function takes aggregates; an aggregate does not.
    is_in_aggregate_ = !IsWindowCall(ast);
    arrow::Result<std::vector<ExprPtr>> bound = BindAll(ast.args);
    is_in_aggregate_ = false;
    ARROW_ASSIGN_OR_RAISE(args, std::move(bound));
  }
  std::string name = ast.name;
  std::vector<AggregateOrder> order;
  if (ast.clauses != nullptr) {
    ARROW_RETURN_NOT_OK(BindIgnoreNulls(ast, &name, &args));
    for (const sql::OrderItem& item : ast.clauses->within_group) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr key, Bind(item.expr));
      order.push_back(
          {std::move(key), item.descending, item.nulls_first.value_or(!item.descending)});
    }
  }
  AggregateCall call;
  ARROW_ASSIGN_OR_RAISE(
      call.signature,
      ResolveAggregateCall(
          {.name = name, .args = args, .order = order, .is_distinct = ast.is_distinct}, ast.span));
  const BoundAggregate& signature = call.signature;
  for (size_t i = 0; i < args.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(args[i], ImplicitCast(args[i], signature.arg_types[i]));
  }
  for (size_t i = 0; i < signature.order.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr key,
                          ImplicitCast(signature.order[i].expr,
                                       signature.input_types[signature.input_args.size() + i]));
    args.push_back(std::move(key));
  }
  call.args = std::move(args);
  call.span = ast.span;
  call.is_distinct = ast.is_distinct;
  call.text = signature.text;
  if (ast.clauses != nullptr && ast.clauses->filter) {
    ARROW_RETURN_NOT_OK(BindFilter(*ast.clauses->filter, &call));
  }
  return call;
}

arrow::Result<AggregateCall> MakeAggregateCall(std::string_view name, std::vector<ExprPtr> args,
                                               Span span) {
  AggregateCall call;
  ARROW_ASSIGN_OR_RAISE(call.signature, ResolveAggregateCall({.name = name, .args = args}, span));
  for (size_t i = 0; i < args.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(args[i], ImplicitCast(args[i], call.signature.arg_types[i]));
  }
  call.args = std::move(args);
  call.span = span;
  call.text = call.signature.text;
  return call;
}

}  // namespace tidemill::driver
