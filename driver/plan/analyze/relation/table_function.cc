#include "driver/plan/analyze/relation/table_function.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "common/aggregates/aggregate_registry.h"
#include "common/base/ascii.h"
#include "common/expr/evaluator.h"
#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/named_arguments.h"
#include "driver/plan/analyze/relation/inline_table.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

arrow::Result<std::vector<ExprPtr>> BindArgs(const sql::Relation& function,
                                             const LogicalPlan& input, const QueryScope& scope) {
  const NameScope names(input.output);
  ExprBinder binder(
      names,
      {.query = scope.context.query, .zone = scope.context.zone.get(), .outer = scope.outer});
  if (!HasArgumentsToArrange(function.name, function.args)) return binder.BindAll(function.args);
  ARROW_ASSIGN_OR_RAISE(const auto arranged,
                        ArrangeArguments(function.name, function.args, function.span));
  return binder.BindAll(arranged);
}

arrow::Status NotFoldable(std::string_view parameter, Span span) {
  return QueryError("NON_FOLDABLE_ARGUMENT",
                    fmt::format("The function `range` requires the parameter `{}` to be a foldable "
                                "expression of the type \"BIGINT\", but the actual argument is a "
                                "non-foldable.",
                                parameter),
                    span);
}

// A constant argument of range as BIGINT.
arrow::Result<int64_t> RangeArg(const ExprPtr& arg, std::string_view name,
                                const QueryScope& scope) {
  ARROW_ASSIGN_OR_RAISE(const ExprPtr wide, ImplicitCast(arg, arrow::int64()));
  EvalContext evaluation;
  evaluation.zone = scope.context.zone;
  evaluation.pool = arrow::default_memory_pool();
  const ExprPtr value = FoldConstant(wide, evaluation);
  if (value != nullptr && value->literal->is_valid) {
    return static_cast<const arrow::Int64Scalar&>(*value->literal).value;
  }
  if (value != nullptr) {
    return QueryError("UNEXPECTED_INPUT_TYPE",
                      fmt::format("The arguments of `range` must be constant integers, but got {}.",
                                  QuotedSql(ExprText(*arg))),
                      arg->span);
  }
  return NotFoldable(name, arg->span);
}

// range([start,] end [, step [, partitions]])
arrow::Result<LogicalPlanPtr> AnalyzeRange(const sql::Relation& relation, const QueryScope& scope) {
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, OneRow(relation.span));
  ARROW_ASSIGN_OR_RAISE(const auto args, BindArgs(relation, *plan, scope));
  if (args.empty() || args.size() > 4) {
    return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                      fmt::format("The `range` requires [1, 2, 3, 4] parameters but the actual "
                                  "number is {}.",
                                  args.size()),
                      relation.span);
  }
  constexpr std::array<std::string_view, 4> kNames = {"start", "end", "step", "numSlices"};
  std::vector<int64_t> values;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view name = args.size() == 1 ? "end" : kNames[i];
    // Spark takes a named argument for an expression.
    if (relation.args[i].kind == sql::AstExpr::Kind::kNamedArgument) {
      return NotFoldable(name, relation.args[i].span);
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t value, RangeArg(args[i], name, scope));
    values.push_back(value);
  }
  const int64_t begin = values.size() == 1 ? 0 : values[0];
  const int64_t end = values.size() == 1 ? values[0] : values[1];
  const int64_t step = values.size() < 3 ? 1 : values[2];
  if (step == 0) {
    return QueryError("INVALID_PARAMETER_VALUE", "step must be non-zero: function=range",
                      relation.span);
  }
  const auto literal = [&relation](int64_t value) { return LongLiteral(value, relation.span); };
  const bool is_empty = step > 0 ? begin >= end : begin <= end;
  const int64_t last = is_empty ? begin : end + (step > 0 ? -1 : 1);
  ARROW_ASSIGN_OR_RAISE(
      ExprPtr sequence,
      MakeCall("sequence", {literal(begin), literal(last), literal(is_empty ? 1 : step)},
               relation.span));
  ARROW_ASSIGN_OR_RAISE(Generator generator,
                        ResolveGenerator("explode", {std::move(sequence)}, relation.span));
  generator.fields[0].name = "id";
  plan = ApplyGenerator(std::move(plan), std::move(generator));
  if (!is_empty) return plan;
  return MakeFilter(std::move(plan),
                    MakeLiteral(std::make_shared<arrow::BooleanScalar>(false), relation.span),
                    relation.span);
}

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeTableFunction(const sql::Relation& relation,
                                                   const QueryScope& scope) {
  if (EqualsIgnoreCase(relation.name, "range")) return AnalyzeRange(relation, scope);
  if (FindFunction(relation.name) != nullptr || IsAggregateName(relation.name)) {
    return QueryError("NOT_A_TABLE_FUNCTION",
                      fmt::format("{} appears as a table function here, but the function was "
                                  "defined as a scalar function. Please update the query to move "
                                  "the function call outside the FROM clause, or redefine {} as a "
                                  "table function instead.",
                                  QuotedName(relation.name), QuotedName(relation.name)),
                      relation.span);
  }
  if (!IsGeneratorName(relation.name)) {
    return QueryError("UNRESOLVABLE_TABLE_VALUED_FUNCTION",
                      fmt::format("Could not resolve {} to a table-valued function. Please make "
                                  "sure that {} is defined as a table-valued function and that all "
                                  "required parameters are provided correctly. If {} is not "
                                  "defined, please create the table-valued function before using "
                                  "it. For more information about defining table-valued functions, "
                                  "please refer to the Apache Spark documentation.",
                                  QuotedName(relation.name), QuotedName(relation.name),
                                  QuotedName(relation.name)),
                      relation.span, "functions in FROM are range and the generators");
  }
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, OneRow(relation.span));
  ARROW_ASSIGN_OR_RAISE(auto args, BindArgs(relation, *plan, scope));
  ARROW_ASSIGN_OR_RAISE(Generator generator,
                        ResolveGenerator(relation.name, std::move(args), relation.span));
  return ApplyGenerator(std::move(plan), std::move(generator));
}

bool IsOuterGenerator(const sql::Relation& relation) {
  const sql::Relation& function = relation.children[1];
  return relation.join.type == sql::JoinType::kLeft && !relation.join.on &&
         function.kind == sql::Relation::Kind::kFunction && HasOuterForm(function.name);
}

arrow::Result<LogicalPlanPtr> AnalyzeOuterGenerator(const sql::Relation& function,
                                                    LogicalPlanPtr left, const QueryScope& scope) {
  std::string name = AsciiLower(function.name);
  if (!name.ends_with("_outer")) name += "_outer";
  ARROW_ASSIGN_OR_RAISE(auto args, BindArgs(function, *left, scope));
  ARROW_ASSIGN_OR_RAISE(Generator generator,
                        ResolveGenerator(name, std::move(args), function.span));
  ARROW_RETURN_NOT_OK(RenameGenerated(function.column_aliases, function.span, &generator));
  for (PlanField& field : generator.fields) field.qualifier = function.alias;
  return ApplyGenerator(std::move(left), std::move(generator));
}

}  // namespace tidemill::driver
