#include "driver/plan/analyze/expr_binder.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "common/aggregates/aggregate_registry.h"
#include "common/base/ascii.h"
#include "common/expr/evaluator.h"
#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/time_zone.h"
#include "driver/plan/analyze/event_time/time_windows.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/named_arguments.h"
#include "driver/plan/analyze/query_scope.h"
#include "driver/plan/analyze/window_binder.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/sql/parser.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

// Functions that are called without parentheses too, and what each is then.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kBareFunctions = {
    {{"current_date", "current_date"},
     {"current_timestamp", "current_timestamp"},
     {"current_user", "current_user"},
     {"user", "current_user"},
     {"session_user", "current_user"}}};

// Functions whose first of three arguments is a unit of time, written as a name; what each is then.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kUnitFunctions = {
    {{"timestampadd", "timestampadd"},
     {"dateadd", "timestampadd"},
     {"date_add", "timestampadd"},
     {"timestampdiff", "timestampdiff"},
     {"datediff", "timestampdiff"},
     {"date_diff", "timestampdiff"}}};

template <class Matches>
const sql::AstExpr* FindCall(const sql::AstExpr& ast, const Matches& matches) {
  if (ast.kind == Kind::kCall && matches(ast)) return &ast;
  for (const sql::AstExpr& arg : ast.args) {
    if (const sql::AstExpr* found = FindCall(arg, matches)) return found;
  }
  if (!IsWindowCall(ast)) return nullptr;
  for (const sql::AstExpr& key : ast.clauses->over->partition_by) {
    if (const sql::AstExpr* found = FindCall(key, matches)) return found;
  }
  for (const sql::OrderItem& item : ast.clauses->over->order_by) {
    if (const sql::AstExpr* found = FindCall(item.expr, matches)) return found;
  }
  return nullptr;
}

// A column of the scope as one of the query around.
ExprPtr AsOuter(const ExprPtr& expr) {
  if (expr->kind == Expr::Kind::kColumn) {
    return MakeColumn(expr->column + kOuterColumns, expr->name, expr->type, expr->span);
  }
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = AsOuter(arg);
  return copy;
}

// An interval literal as a number counts its last field, of which the types keep days, seconds and
// months only.
arrow::Status CheckIntervalCast(const sql::AstExpr& cast, const arrow::DataType& type) {
  if (cast.args[0].kind != Kind::kInterval || !IsNumericType(type)) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const IntervalLiteral literal, ParseIntervalLiteral(cast.args[0].text));
  const IntervalField last = literal.range.last;
  if (last == IntervalField::kSecond || last == IntervalField::kMonth ||
      literal.range == kDayOnly) {
    return arrow::Status::OK();
  }
  return NotSupportedYet(
      "INTERVAL_RANGE",
      fmt::format("CAST of INTERVAL {} to a number", IntervalRangeName(literal.range)), cast.span);
}

const std::pair<std::string_view, std::string_view>* FindUnitFunction(const sql::AstExpr& ast) {
  const bool has_unit =
      ast.args.size() == 3 && ast.args[0].kind == Kind::kName && ast.args[0].parts.size() == 1;
  if (!has_unit) return nullptr;
  const auto found =
      std::find_if(kUnitFunctions.begin(), kUnitFunctions.end(),
                   [&](const auto& known) { return EqualsIgnoreCase(known.first, ast.name); });
  return found == kUnitFunctions.end() ? nullptr : &*found;
}

bool IsQuotedUnit(const sql::AstExpr& ast) {
  return ast.args.size() == 3 && ast.args[0].kind == Kind::kString &&
         std::any_of(kUnitFunctions.begin(), kUnitFunctions.end(),
                     [&](const auto& known) { return EqualsIgnoreCase(known.first, ast.name); });
}

bool IsQuantifiedLike(std::string_view name) {
  return name.ends_with("like any") || name.ends_with("like all");
}

// A balanced tree, so that a long list is no deep one.
arrow::Result<ExprPtr> JoinMatches(std::string_view name, std::span<const ExprPtr> matches,
                                   Span span) {
  if (matches.size() == 1) return matches[0];
  const size_t half = (matches.size() + 1) / 2;
  ARROW_ASSIGN_OR_RAISE(ExprPtr left, JoinMatches(name, matches.first(half), span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr right, JoinMatches(name, matches.subspan(half), span));
  return MakeCall(name, {std::move(left), std::move(right)}, span);
}

// x LIKE ANY (a, b) as x LIKE a OR x LIKE b, and so for ALL and AND; NOT negates each of them.
// Spark leaves constant patterns out of the name.
arrow::Result<ExprPtr> MakeQuantifiedLike(const sql::AstExpr& call,
                                          const std::vector<ExprPtr>& args) {
  const bool is_negated = call.name.starts_with("not ");
  const bool is_all = call.name.ends_with(" all");
  const bool ignores_case = call.name.find("ilike") != std::string::npos;
  std::vector<ExprPtr> matches;
  bool has_constants = true;
  for (size_t i = 1; i < args.size(); ++i) {
    has_constants &= call.args[i].kind == sql::AstExpr::Kind::kString;
    ARROW_ASSIGN_OR_RAISE(ExprPtr match,
                          MakeCall(ignores_case ? "ilike" : "like", {args[0], args[i]}, call.span));
    if (is_negated) {
      ARROW_ASSIGN_OR_RAISE(match, MakeCall("not", {std::move(match)}, call.span));
    }
    matches.push_back(std::move(match));
  }
  ARROW_ASSIGN_OR_RAISE(const ExprPtr joined,
                        JoinMatches(is_all ? "and" : "or", matches, call.span));
  if (!has_constants) return joined;
  const std::string value = ExprText(*args[0]);
  return WithText(joined,
                  fmt::format(fmt::runtime(ignores_case ? "{}like{}(lower({}))" : "{}like{}({})"),
                              is_negated ? "not" : "", is_all ? "all" : "any", value));
}

arrow::Status InvalidStar(std::string_view where, Span span) {
  return QueryError("INVALID_USAGE_OF_STAR_OR_REGEX",
                    fmt::format("Invalid usage of '*' in {}.", where), span);
}

// Clauses behind the call of a function that is no aggregate.
arrow::Status RefuseAggregateClauses(const sql::AstExpr& call) {
  if (call.is_distinct) return UnsupportedSyntax(call, "DISTINCT");
  const sql::CallClauses* clauses = call.clauses.get();
  if (clauses == nullptr) return arrow::Status::OK();
  if (clauses->filter) return UnsupportedSyntax(call, "FILTER CLAUSE");
  if (!clauses->within_group.empty()) return UnsupportedSyntax(call, "WITHIN GROUP (ORDER BY ...)");
  if (clauses->ignore_nulls) {
    return UnsupportedSyntax(call, *clauses->ignore_nulls ? "IGNORE NULLS" : "RESPECT NULLS");
  }
  return arrow::Status::OK();
}

}  // namespace

bool IsWindowCall(const sql::AstExpr& ast) {
  return ast.clauses != nullptr && ast.clauses->over.has_value();
}

arrow::Status UnsupportedSyntax(const sql::AstExpr& call, std::string_view syntax) {
  return QueryError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                    fmt::format("Invalid SQL syntax: The function {} does not support {}.",
                                QuotedName(AsciiLower(call.name)), syntax),
                    call.span);
}

const sql::AstExpr* FindAggregateCall(const sql::AstExpr& ast) {
  return FindCall(ast, [](const sql::AstExpr& call) {
    return IsAggregateName(call.name) && !IsWindowCall(call);
  });
}

const sql::AstExpr* FindWindowCall(const sql::AstExpr& ast) { return FindCall(ast, IsWindowCall); }

const sql::AstExpr* FindGeneratorCall(const sql::AstExpr& ast) {
  return FindCall(ast, [](const sql::AstExpr& call) { return IsGeneratorName(call.name); });
}

arrow::Status WindowNotAllowed(const sql::AstExpr& call, std::string_view clause) {
  return QueryError(
      "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE",
      fmt::format("It is not allowed to use window functions inside {} clause.", clause),
      call.span);
}

bool IsGeneratorCall(const sql::AstExpr& ast) {
  return ast.kind == Kind::kCall && IsGeneratorName(ast.name);
}

std::string_view TextAt(std::string_view query, Span span) {
  const auto size = static_cast<int32_t>(query.size());
  const int32_t begin = std::clamp(span.begin, 0, size);
  return query.substr(begin, std::clamp(span.end, begin, size) - begin);
}

std::string ExprBinder::TextOf(const sql::AstExpr& ast) const {
  return QuotedSql(TextAt(options_.query, ast.span));
}

arrow::Result<ExprPtr> ExprBinder::Bind(const sql::AstExpr& ast) {
  if (IsLiteral(ast)) return BindLiteral(ast, *options_.zone);
  switch (ast.kind) {
    case Kind::kName:
      return BindName(ast);
    case Kind::kStar:
      return InvalidStar("expression", ast.span);
    case Kind::kCall:
      return BindCall(ast);
    case Kind::kField: {
      ARROW_ASSIGN_OR_RAISE(ExprPtr base, Bind(ast.args.front()));
      return ExtractField(std::move(base), ast.name, ast.span);
    }
    case Kind::kCast:
      return BindCast(ast);
    case Kind::kLambda:
      return QueryError("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION",
                        "Invalid lambda function call. A lambda function should only be used in a "
                        "higher order function.",
                        ast.span);
    case Kind::kParameter:
      return NotSupportedYet("PARAMETER_MARKER", "a parameter marker", ast.span);
    case Kind::kSubquery:
    case Kind::kExists:
    case Kind::kInSubquery:
      return BindSubquery(ast);
    default:
      return NotSupportedYet("EXPRESSION", TextOf(ast), ast.span);
  }
}

arrow::Result<std::vector<ExprPtr>> ExprBinder::BindAll(const std::vector<sql::AstExpr>& asts) {
  std::vector<ExprPtr> exprs;
  for (const sql::AstExpr& ast : asts) {
    if (ast.kind == Kind::kStar) {
      if (!ast.args.empty()) return NotSupportedYet("STAR_EXCEPT", "* EXCEPT (...)", ast.span);
      ARROW_ASSIGN_OR_RAISE(auto columns, scope_.ExpandStar(ast.parts, ast.span));
      for (auto& column : columns) exprs.push_back(std::move(column.first));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr expr, Bind(ast));
    exprs.push_back(std::move(expr));
  }
  return exprs;
}

arrow::Result<ExprPtr> ExprBinder::FindOutput(const sql::AstExpr& ast) const {
  const SelectOutputs& outputs = *options_.outputs;
  const std::vector<NameScope::Match> matches = outputs.names.Matches(ast.parts);
  if (matches.empty()) return nullptr;
  const NameScope::Match first = matches.front();
  for (const NameScope::Match& match : matches) {
    if (!ExprEquals(*outputs.exprs[match.column], *outputs.exprs[first.column])) {
      return outputs.names.Ambiguous(ast.parts, matches, ast.span);
    }
  }
  ExprPtr expr = outputs.exprs[first.column];
  for (size_t i = first.used_parts; i < ast.parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(expr, ExtractField(std::move(expr), ast.parts[i], ast.span));
  }
  return expr;
}

arrow::Result<ExprPtr> ExprBinder::BindName(const sql::AstExpr& ast) {
  if (ExprPtr found = FindParameter(ast)) {
    for (size_t i = 1; i < ast.parts.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(found, ExtractField(std::move(found), ast.parts[i], ast.span));
    }
    return found;
  }
  if (options_.outputs != nullptr && !is_in_aggregate_) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr output, FindOutput(ast));
    if (output != nullptr) return output;
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr column, scope_.Find(ast.parts, ast.span));
  if (column != nullptr) return column;
  for (const auto& [bare, function] : kBareFunctions) {
    if (ast.parts.size() == 1 && EqualsIgnoreCase(bare, ast.parts[0])) {
      return MakeCall(function, {}, ast.span);
    }
  }
  if (options_.hook != nullptr) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr alias, options_.hook->FindAlias(ast));
    if (alias != nullptr) return alias;
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr outer, FindOuter(ast));
  if (outer != nullptr) return outer;
  return scope_.Unresolved(ast.parts, ast.span);
}

arrow::Result<ExprPtr> ExprBinder::FindOuter(const sql::AstExpr& ast) const {
  if (options_.outer == nullptr) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const ExprPtr column, options_.outer->names.Find(ast.parts, ast.span));
  if (column == nullptr) return nullptr;
  options_.outer->was_used = true;
  return AsOuter(column);
}

arrow::Result<ExprPtr> ExprBinder::BindSubquery(const sql::AstExpr& ast) {
  if (options_.hook != nullptr) return options_.hook->BindSubquery(ast, this);
  return NotSupportedYet("SUBQUERY_EXPRESSION", "a subquery here", ast.span);
}

arrow::Result<ExprPtr> ExprBinder::BindWindow(const sql::AstExpr& ast) {
  if (options_.hook != nullptr) return options_.hook->BindWindow(ast, this);
  return UnsupportedExpression(TextOf(ast), ast.span);
}

arrow::Result<ExprPtr> ExprBinder::BindCall(const sql::AstExpr& ast) {
  if (HasArgumentsToArrange(ast.name, ast.args)) {
    sql::AstExpr arranged = ast;
    ARROW_ASSIGN_OR_RAISE(arranged.args, ArrangeArguments(ast.name, ast.args, ast.span));
    return BindArranged(arranged);
  }
  return BindArranged(ast);
}

arrow::Result<ExprPtr> ExprBinder::BindArranged(const sql::AstExpr& ast) {
  if (IsWindowCall(ast)) return BindWindow(ast);
  if (ast.name == "identifier" && ast.args.size() == 1) return BindIdentifier(ast);
  if (ast.name == kRowIdFunction) {
    if (options_.hook != nullptr) return options_.hook->BindRowId(ast, this);
    return UnsupportedExpression(TextOf(ast), ast.span);
  }
  if (IsWindowOnlyName(ast.name)) {
    return QueryError("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
                      fmt::format("Window function {} requires an OVER clause.", TextOf(ast)),
                      ast.span);
  }
  const bool is_grouping = ast.name == "grouping" || ast.name == "grouping_id";
  if (is_grouping && options_.hook != nullptr) return options_.hook->BindGrouping(ast, this);
  if (IsGeneratorName(ast.name)) {
    return QueryError(
        "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
        fmt::format("The generator is not supported: nested in expressions {}.", TextOf(ast)),
        ast.span, "select the generator itself in a subquery and compute with its column");
  }
  if (IsAggregateName(ast.name)) return BindAggregate(ast);
  ARROW_RETURN_NOT_OK(RefuseAggregateClauses(ast));
  if (IsTimeWindowName(ast.name)) return BindTimeColumn(ast);
  const bool is_not_in = ast.name == "not" && ast.args[0].kind == Kind::kInSubquery;
  if (is_not_in && options_.hook != nullptr) return options_.hook->BindSubquery(ast, this);
  if (ast.name == "case") return BindCase(ast);
  if (IsQuotedUnit(ast)) {
    return QueryError("INVALID_PARAMETER_VALUE.DATETIME_UNIT",
                      fmt::format("The value of parameter(s) `unit` in {} is invalid: expects one "
                                  "of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, "
                                  "DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but "
                                  "got the string literal '{}'.",
                                  QuotedName(ast.name), ast.args[0].text),
                      ast.span);
  }
  if (const auto* of_units = FindUnitFunction(ast)) {
    sql::AstExpr unit = ast.args[0];
    unit.kind = Kind::kString;
    unit.text = unit.parts[0];
    ARROW_ASSIGN_OR_RAISE(ExprPtr first, Bind(unit));
    std::vector<ExprPtr> args = {std::move(first)};
    for (size_t i = 1; i < 3; ++i) {
      ARROW_ASSIGN_OR_RAISE(args.emplace_back(), Bind(ast.args[i]));
    }
    return MakeCall(of_units->second, std::move(args), ast.span);
  }
  const FunctionInfo* function = FindFunction(ast.name);
  if (function != nullptr && function->lambda_shape) return BindHigherOrder(ast, *function);
  ARROW_ASSIGN_OR_RAISE(std::vector<ExprPtr> args, BindAll(ast.args));
  if (ast.name == "between" && args.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr low, MakeCall(">=", {args[0], args[1]}, ast.span));
    ARROW_ASSIGN_OR_RAISE(ExprPtr high, MakeCall("<=", {args[0], args[2]}, ast.span));
    ARROW_ASSIGN_OR_RAISE(const ExprPtr both,
                          MakeCall("and", {std::move(low), std::move(high)}, ast.span));
    return WithText(both, fmt::format("between({}, {}, {})", ExprText(*args[0]), ExprText(*args[1]),
                                      ExprText(*args[2])));
  }
  if (ast.name == "struct" && ast.is_tuple && ast.parts.empty()) {
    return MakeCall(kTuple, std::move(args), ast.span);
  }
  if (ast.name == "struct" && !args.empty())
    return MakeStruct(std::move(args), ast.parts, ast.span);
  if (IsQuantifiedLike(ast.name)) return MakeQuantifiedLike(ast, args);
  if (ast.name == "[]" && args.size() == 2) {
    const arrow::DataType& type = *args[0]->type;
    const bool is_struct =
        type.id() == arrow::Type::STRUCT ||
        (type.id() == arrow::Type::LIST && type.field(0)->type()->id() == arrow::Type::STRUCT);
    if (is_struct && ast.args[1].kind == Kind::kString) {
      return ExtractField(std::move(args[0]), ast.args[1].text, ast.span);
    }
    return MakeCall("get_item", std::move(args), ast.span);
  }
  return MakeCall(ast.name, std::move(args), ast.span);
}

// IDENTIFIER(constant): the column that the text names.
arrow::Result<ExprPtr> ExprBinder::BindIdentifier(const sql::AstExpr& ast) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr text, Bind(ast.args[0]));
  const auto refuse = [&](std::string_view sub_class, std::string_view rule) {
    return QueryError(
        fmt::format("NOT_A_CONSTANT_STRING.{}", sub_class),
        fmt::format("The expression {} used for the routine or clause IDENTIFIER must be a "
                    "constant STRING which is NOT NULL. {}",
                    ExprText(*text), rule),
        ast.args[0].span);
  };
  if (text->kind != Expr::Kind::kLiteral) {
    EvalContext context;
    ARROW_ASSIGN_OR_RAISE(context.zone, FindTimeZone(TimeZoneName(*options_.zone)));
    context.pool = arrow::default_memory_pool();
    const ExprPtr folded = FoldConstant(text, context);
    if (folded == nullptr || !IsDeterministic(*text)) {
      return refuse("NOT_CONSTANT",
                    "To be considered constant the expression must not depend on any columns, "
                    "contain a subquery, or invoke a non deterministic function such as rand().");
    }
    text = folded;
  }
  if (text->type->id() != arrow::Type::STRING) {
    return refuse("WRONG_TYPE", fmt::format("The data type of the expression is {}.",
                                            AsciiLower(SqlTypeName(*text->type))));
  }
  if (!text->literal->is_valid) return refuse("NULL", "The expression evaluates to NULL.");
  sql::AstExpr name = ast;
  name.kind = Kind::kName;
  ARROW_ASSIGN_OR_RAISE(
      name.parts,
      sql::ParseNameText(static_cast<const arrow::StringScalar&>(*text->literal).value->ToString(),
                         ast.span));
  return BindName(name);
}

ExprPtr ExprBinder::FindParameter(const sql::AstExpr& ast) const {
  for (auto parameter = parameters_.rbegin(); parameter != parameters_.rend(); ++parameter) {
    if (!EqualsIgnoreCase((*parameter)->name, ast.parts[0])) continue;
    auto use = std::make_shared<Expr>(**parameter);
    use->name = ast.parts[0];
    use->span = ast.span;
    return use;
  }
  return nullptr;
}

arrow::Result<ExprPtr> ExprBinder::BindHigherOrder(const sql::AstExpr& ast,
                                                   const FunctionInfo& function) {
  std::vector<ExprPtr> args;
  for (const sql::AstExpr& arg : ast.args) {
    arrow::Result<std::optional<LambdaShape>> shape = function.lambda_shape(args, args.size());
    if (!shape.ok()) return WithSpan(shape.status(), ast.span);
    ARROW_ASSIGN_OR_RAISE(ExprPtr bound, shape->has_value() ? BindLambda(arg, **shape) : Bind(arg));
    args.push_back(std::move(bound));
  }
  return MakeCall(ast.name, std::move(args), ast.span);
}

// An expression without parameters stands for a lambda that does not read them.
arrow::Result<ExprPtr> ExprBinder::BindLambda(const sql::AstExpr& ast, const LambdaShape& shape) {
  const bool is_lambda = ast.kind == Kind::kLambda;
  const std::vector<std::string> names =
      is_lambda ? ast.parts : std::vector<std::string>(shape.required);
  if (names.size() < shape.required || names.size() > shape.parameters.size()) {
    return QueryError("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                      fmt::format("Invalid lambda function call. A higher order function expects "
                                  "{} arguments, but got {}.",
                                  names.size(), shape.required),
                      ast.span);
  }
  const size_t outer = parameters_.size();
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t k = outer; k < parameters_.size(); ++k) {
      if (names[i].empty() || !EqualsIgnoreCase(parameters_[k]->name, names[i])) continue;
      parameters_.resize(outer);
      return QueryError("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES",
                        fmt::format("Invalid lambda function call. The lambda function has "
                                    "duplicate arguments {}. Please, consider to rename the "
                                    "argument names or set \"spark.sql.caseSensitive\" to "
                                    "\"true\".",
                                    QuotedName(names[i])),
                        ast.span);
    }
    parameters_.push_back(
        MakeParameter(static_cast<int>(outer + i), names[i], shape.parameters[i], ast.span));
  }
  arrow::Result<ExprPtr> body = Bind(is_lambda ? ast.args[0] : ast);
  std::vector<ExprPtr> own(parameters_.begin() + static_cast<ptrdiff_t>(outer), parameters_.end());
  parameters_.resize(outer);
  ARROW_RETURN_NOT_OK(body.status());
  return MakeLambda(*std::move(body), std::move(own), ast.span);
}

arrow::Result<ExprPtr> ExprBinder::BindCase(const sql::AstExpr& ast) {
  ARROW_ASSIGN_OR_RAISE(std::vector<ExprPtr> args, BindAll(ast.args));
  if (!ast.has_operand) return MakeCall("case", std::move(args), ast.span);
  const ExprPtr operand = args.front();
  std::vector<ExprPtr> branches;
  const size_t end = args.size() - (ast.has_else ? 1 : 0);
  for (size_t i = 1; i + 1 < end; i += 2) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, MakeCall("=", {operand, args[i]}, args[i]->span));
    branches.push_back(std::move(condition));
    branches.push_back(args[i + 1]);
  }
  if (ast.has_else) branches.push_back(args.back());
  return MakeCall("case", std::move(branches), ast.span);
}

arrow::Result<ExprPtr> ExprBinder::BindTimeColumn(const sql::AstExpr& ast) {
  if (options_.time_columns != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<ExprPtr> args, BindAll(ast.args));
    const TimeColumn* column = FindTimeColumn(*options_.time_columns, ast.name, args);
    if (column != nullptr) {
      return MakeColumn(column->column, column->name, column->type, ast.span);
    }
  }
  return NotSupportedYet("TIME_WINDOW_HERE", fmt::format("{}() here", AsciiLower(ast.name)),
                         ast.span, "select it, or group by it, in a subquery in FROM");
}

arrow::Result<ExprPtr> ExprBinder::BindCast(const sql::AstExpr& ast) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr arg, Bind(ast.args.front()));
  auto type = ParseDdlType(ast.type_text);
  if (!type.ok()) {
    const ErrorDetail* detail = DetailOf(type.status());
    Span span = ast.type_span;
    if (detail != nullptr && detail->span) {
      span = {ast.type_span.begin + detail->span->begin, ast.type_span.begin + detail->span->end};
    }
    return MakeError(KindOf(type.status()), ErrorClassOf(type.status()), type.status().message(),
                     span, detail != nullptr ? detail->hint : "");
  }
  ARROW_RETURN_NOT_OK(CheckIntervalCast(ast, **type));
  return MakeCast(std::move(arg), *std::move(type), EqualsIgnoreCase(ast.name, "try_cast"),
                  ast.span);
}

}  // namespace tidemill::driver
