#include "driver/plan/analyze/window_binder.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/aggregates/aggregate_registry.h"
#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"
#include "driver/plan/analyze/lateral_aliases.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

using FrameKind = sql::FrameBound::Kind;

constexpr std::array<std::string_view, 6> kRanking = {"row_number", "rank",         "dense_rank",
                                                      "ntile",      "percent_rank", "cume_dist"};
constexpr std::array<std::string_view, 6> kFrameValues = {"first",      "first_value", "last",
                                                          "last_value", "nth_value",   "any_value"};

template <size_t n>
bool IsOneOf(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string ArgsText(const std::vector<ExprPtr>& args) {
  std::string text;
  for (const ExprPtr& arg : args) text += (text.empty() ? "" : ", ") + ExprText(*arg);
  return text;
}

// Spark shouts some names.
std::string ShownName(const std::string& name) {
  if (name == "rank") return "RANK";
  if (name == "dense_rank") return "DENSE_RANK";
  return name == "percent_rank" ? "PERCENT_RANK" : name;
}

// The value of an integer literal.
std::optional<int64_t> IntegerOf(const Expr& expr) {
  if (expr.kind != Expr::Kind::kLiteral || !expr.literal->is_valid) return std::nullopt;
  switch (expr.type->id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Scalar&>(*expr.literal).value;
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Scalar&>(*expr.literal).value;
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Scalar&>(*expr.literal).value;
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Scalar&>(*expr.literal).value;
    default:
      return std::nullopt;
  }
}

arrow::Status WrongArgs(const sql::AstExpr& ast, std::string_view wanted, size_t count) {
  return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                    fmt::format("The {} requires {} parameters but the actual number is {}.",
                                QuotedName(ast.name), wanted, count),
                    ast.span);
}

arrow::Status NotConstant(const sql::AstExpr& ast, std::string_view what, const Expr& arg) {
  return QueryError(
      "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
      fmt::format(
          "Cannot resolve {} due to data type mismatch: the input `{}` should be a foldable "
          "\"INT\" expression; however, got {}.",
          QuotedSql(ast.name), what, QuotedSql(ExprText(arg))),
      arg.span);
}

bool IsNumber(const sql::AstExpr& ast) {
  using Kind = sql::AstExpr::Kind;
  return ast.kind == Kind::kInteger || ast.kind == Kind::kDecimal || ast.kind == Kind::kDouble;
}

// "1 PRECEDING"; in a RANGE frame Spark writes what is no number as a negative FOLLOWING.
std::string BoundText(const sql::FrameBound& bound, std::string_view query, bool is_rows) {
  switch (bound.kind) {
    case FrameKind::kUnboundedPreceding:
      return "UNBOUNDED PRECEDING";
    case FrameKind::kUnboundedFollowing:
      return "UNBOUNDED FOLLOWING";
    case FrameKind::kCurrentRow:
      return "CURRENT ROW";
    case FrameKind::kPreceding:
      return fmt::format(
          fmt::runtime(is_rows || IsNumber(*bound.offset) ? "{} PRECEDING" : "(- {}) FOLLOWING"),
          TextAt(query, bound.offset->span));
    case FrameKind::kFollowing:
      return fmt::format("{} FOLLOWING", TextAt(query, bound.offset->span));
  }
  return "";
}

std::string FrameText(const sql::WindowFrame& frame, std::string_view query) {
  return fmt::format("{} BETWEEN {} AND {}", frame.is_rows ? "ROWS" : "RANGE",
                     BoundText(frame.begin, query, frame.is_rows),
                     BoundText(frame.end, query, frame.is_rows));
}

arrow::Status WrongFrame(std::string_view sub_class, std::string_view frame, std::string_view rule,
                         Span span) {
  return QueryError(
      fmt::format("DATATYPE_MISMATCH.{}", sub_class),
      fmt::format("Cannot resolve {} due to data type mismatch: {}", QuotedSql(frame), rule), span);
}

}  // namespace

bool IsWindowOnlyName(std::string_view name) {
  return IsOneOf(name, kRanking) || name == "lag" || name == "lead" || name == "nth_value";
}

arrow::Result<const sql::WindowSpec*> WindowBinder::FindSpec(const sql::WindowSpec& spec) const {
  if (spec.name.empty()) return &spec;
  for (const sql::NamedWindow& window : select_.windows) {
    if (EqualsIgnoreCase(window.name, spec.name)) return FindSpec(window.spec);
  }
  return QueryError("MISSING_WINDOW_SPECIFICATION",
                    fmt::format("Window specification is not defined in the WINDOW clause for {}. "
                                "For more information about WINDOW clauses, please refer to "
                                "'https://spark.apache.org/docs/latest/"
                                "sql-ref-syntax-qry-select-window.html'.",
                                spec.name),
                    spec.span);
}

arrow::Status WindowBinder::BindSpec(const sql::WindowSpec& spec, ExprBinder* binder,
                                     Call* bound) const {
  ARROW_ASSIGN_OR_RAISE(bound->partition, binder->BindAll(spec.partition_by));
  for (const ExprPtr& key : bound->partition) {
    if (HasMap(*key->type)) {
      return QueryError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                        fmt::format("The expression {} cannot be used as a grouping expression "
                                    "because its data type {} is not an orderable data type.",
                                    QuotedSql(ExprText(*key)), QuotedType(*key->type)),
                        spec.span);
    }
  }
  for (const sql::OrderItem& item : spec.order_by) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr key, binder->Bind(item.expr));
    ARROW_RETURN_NOT_OK(CheckOrderable(*key, item.expr.span));
    bound->order.push_back(
        {std::move(key), item.descending, item.nulls_first.value_or(!item.descending)});
  }
  return arrow::Status::OK();
}

std::string WindowBinder::SpecText(const Call& call, const std::string& frame) const {
  std::string text;
  if (!call.partition.empty()) text += "PARTITION BY " + ArgsText(call.partition) + " ";
  std::string order;
  for (const SortKey& key : call.order) {
    order += fmt::format("{}{} {} NULLS {}", order.empty() ? "" : ", ", ExprText(*key.expr),
                         key.is_descending ? "DESC" : "ASC", key.nulls_first ? "FIRST" : "LAST");
  }
  if (!order.empty()) text += "ORDER BY " + order + " ";
  return fmt::format("({}{})", text, frame);
}

// lag and lead: value [, offset [, fallback]].
arrow::Status WindowBinder::BindOffset(const sql::AstExpr& ast, std::vector<ExprPtr> args,
                                       Call* bound) const {
  if (args.empty() || args.size() > 3) return WrongArgs(ast, "[1, 2, 3]", args.size());
  std::optional<int64_t> offset = 1;
  if (args.size() > 1) offset = IntegerOf(*args[1]);
  if (!offset) return NotConstant(ast, "offset", *args[1]);
  ExprPtr fallback =
      args.size() > 2 ? args[2] : MakeLiteral(arrow::MakeNullScalar(args[0]->type), ast.span);
  ARROW_ASSIGN_OR_RAISE(fallback, ImplicitCast(std::move(fallback), args[0]->type));
  WindowCall& call = bound->call;
  call.kind = WindowCall::Kind::kOffset;
  call.number = ast.name == "lag" ? -*offset : *offset;
  call.type = args[0]->type;
  call.text = fmt::format("{}({}, {}, {})", ast.name, ExprText(*args[0]), *offset,
                          args.size() > 2 ? ExprText(*args[2]) : "NULL");
  call.args = {std::move(args[0]), std::move(fallback)};
  return arrow::Status::OK();
}

arrow::Status WindowBinder::BindFrameValue(const sql::AstExpr& ast, std::vector<ExprPtr> args,
                                           Call* bound) const {
  const bool is_nth = ast.name == "nth_value";
  if (args.empty() || args.size() > 2 || (is_nth && args.size() != 2)) {
    return WrongArgs(ast, is_nth ? "2" : "[1, 2]", args.size());
  }
  WindowCall& call = bound->call;
  call.kind = WindowCall::Kind::kFrameValue;
  call.number = ast.name.starts_with("last") ? -1 : 1;
  call.text = fmt::format("{}({}){}", ast.name, ArgsText(args),
                          is_nth && call.ignore_nulls ? " ignore nulls" : "");
  // Spark forgets an alias whose NULLs are ignored.
  const bool is_alias = ast.name == "first_value" || ast.name == "last_value";
  if (is_alias && call.ignore_nulls) {
    call.text =
        fmt::format("{}({})", ast.name.starts_with("first") ? "first" : "last", ExprText(*args[0]));
  }
  call.type = args[0]->type;
  if (is_nth) {
    const std::optional<int64_t> number = IntegerOf(*args[1]);
    if (!number || *number < 1) return NotConstant(ast, "offset", *args[1]);
    call.number = *number;
  } else if (args.size() == 2) {
    const Expr& flag = *args[1];
    const bool is_flag = flag.kind == Expr::Kind::kLiteral && flag.literal->is_valid &&
                         flag.type->id() == arrow::Type::BOOL;
    if (!is_flag) return NotConstant(ast, "ignoreNulls", flag);
    call.ignore_nulls = static_cast<const arrow::BooleanScalar&>(*flag.literal).value;
    call.text = fmt::format("{}({})", ast.name, ExprText(*args[0]));
  }
  call.args = {std::move(args[0])};
  return arrow::Status::OK();
}

arrow::Status WindowBinder::BindFunction(const sql::AstExpr& ast, ExprBinder* binder,
                                         Call* bound) const {
  WindowCall& call = bound->call;
  call.function = ast.name;
  call.span = ast.span;
  call.ignore_nulls = ast.clauses->ignore_nulls.value_or(false);
  if (ast.clauses->filter) {
    return NotSupportedYet("WINDOW_FILTER", "FILTER with OVER", ast.clauses->filter->span);
  }
  if (IsOneOf(ast.name, kRanking)) {
    ARROW_ASSIGN_OR_RAISE(const auto args, binder->BindAll(ast.args));
    const bool is_ntile = ast.name == "ntile";
    // As in Spark the ranks take arguments, which say nothing: ORDER BY alone ranks.
    const bool is_rank = ast.name.ends_with("rank");
    if (!is_rank && args.size() != (is_ntile ? 1U : 0U)) {
      return WrongArgs(ast, is_ntile ? "1" : "0", args.size());
    }
    const bool is_share = ast.name == "percent_rank" || ast.name == "cume_dist";
    call.type = is_share ? arrow::float64() : arrow::int32();
    call.text = fmt::format("{}({})", ShownName(ast.name), is_rank ? "" : ArgsText(args));
    if (!is_ntile) return arrow::Status::OK();
    const std::optional<int64_t> buckets = IntegerOf(*args[0]);
    if (!buckets || *buckets < 1) return NotConstant(ast, "buckets", *args[0]);
    call.number = *buckets;
    return arrow::Status::OK();
  }
  if (ast.name == "lag" || ast.name == "lead" || IsOneOf(ast.name, kFrameValues)) {
    ARROW_ASSIGN_OR_RAISE(auto args, binder->BindAll(ast.args));
    if (IsOneOf(ast.name, kFrameValues)) return BindFrameValue(ast, std::move(args), bound);
    return BindOffset(ast, std::move(args), bound);
  }
  if (!IsAggregateName(ast.name)) {
    return QueryError("UNSUPPORTED_EXPR_FOR_WINDOW",
                      fmt::format("Expression {} not supported within a window function.",
                                  QuotedSql(TextAt(binder->query(), ast.span))),
                      ast.span);
  }
  call.kind = WindowCall::Kind::kAggregate;
  ARROW_ASSIGN_OR_RAISE(call.aggregate, binder->BindAggregateCall(ast));
  if (!call.aggregate->signature.order.empty()) {
    return NotSupportedYet("WINDOW_WITHIN_GROUP", "WITHIN GROUP of a window function", ast.span);
  }
  call.type = call.aggregate->signature.type;
  call.text = call.aggregate->text;
  return arrow::Status::OK();
}

arrow::Result<WindowBound> WindowBinder::BindBound(const sql::WindowFrame& frame, bool is_begin,
                                                   ExprBinder* binder, const Call& call) const {
  const sql::FrameBound& bound = is_begin ? frame.begin : frame.end;
  WindowBound made;
  if (bound.kind == FrameKind::kUnboundedPreceding ||
      bound.kind == FrameKind::kUnboundedFollowing) {
    return made;
  }
  made.kind = frame.is_rows ? WindowBound::Kind::kRows : WindowBound::Kind::kPeers;
  if (bound.kind == FrameKind::kCurrentRow) return made;
  ARROW_ASSIGN_OR_RAISE(ExprPtr offset, binder->Bind(*bound.offset));
  const auto unaccepted = [&](const arrow::DataType& type, std::string_view expected) {
    return WrongFrame("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", FrameText(frame, binder->query()),
                      fmt::format("The data type of the {} bound {} does not match the expected "
                                  "data type {}.",
                                  is_begin ? "lower" : "upper", QuotedType(type), expected),
                      bound.span);
  };
  const bool is_preceding = bound.kind == FrameKind::kPreceding;
  if (frame.is_rows) {
    const std::optional<int64_t> rows = IntegerOf(*offset);
    if (!rows || offset->type->id() != arrow::Type::INT32) {
      return unaccepted(*offset->type, "\"INT\"");
    }
    made.rows = is_preceding ? -*rows : *rows;
    return made;
  }
  if (call.order.size() != 1) {
    return WrongFrame("RANGE_FRAME_MULTI_ORDER", SpecText(call, FrameText(frame, binder->query())),
                      "A range window frame with value boundaries cannot be used in a window "
                      "specification with multiple order by expressions.",
                      bound.span);
  }
  const SortKey& key = call.order[0];
  const arrow::DataType& type = *key.expr->type;
  if (!IsNumericType(type) && !IsDatetimeType(type)) {
    return unaccepted(type,
                      "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or "
                      "\"INTERVAL\")");
  }
  if (IsNumericType(type)) {
    ARROW_ASSIGN_OR_RAISE(offset, ImplicitCast(std::move(offset), key.expr->type));
  }
  const bool is_minus = is_preceding != key.is_descending;
  std::string_view function = is_minus ? "-" : "+";
  if (type.id() == arrow::Type::DATE32 && IsIntegralType(*offset->type)) {
    function = is_minus ? "date_sub" : "date_add";
  }
  ARROW_ASSIGN_OR_RAISE(made.value, MakeCall(function, {key.expr, std::move(offset)}, bound.span));
  ARROW_ASSIGN_OR_RAISE(made.value, ImplicitCast(std::move(made.value), key.expr->type));
  made.kind = WindowBound::Kind::kValue;
  return made;
}

arrow::Status WindowBinder::BindFrame(const sql::AstExpr& ast, const sql::WindowSpec& spec,
                                      ExprBinder* binder, Call* bound) const {
  WindowCall& call = bound->call;
  const bool has_own_frame =
      call.kind == WindowCall::Kind::kRanking || call.kind == WindowCall::Kind::kOffset;
  if (has_own_frame && bound->order.empty()) {
    return QueryError("WINDOW_FUNCTION_FRAME_NOT_ORDERED",
                      fmt::format("Window function {0} requires the window to be ordered. You need "
                                  "to add an ORDER BY clause. For example: SELECT {0}() OVER "
                                  "(PARTITION BY window_partition ORDER BY window_ordering) FROM "
                                  "table.",
                                  ast.name),
                      ast.span);
  }
  std::string frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  if (call.kind == WindowCall::Kind::kOffset) {
    frame = fmt::format("ROWS BETWEEN {0} FOLLOWING AND {0} FOLLOWING", call.number);
  }
  if (ast.name == "cume_dist") frame = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  if (has_own_frame && spec.frame) {
    return QueryError("_LEGACY_ERROR_TEMP_1036",
                      fmt::format("Window Frame {} must match the required frame {}.",
                                  FrameText(*spec.frame, binder->query()), frame),
                      spec.frame->span);
  }
  if (!has_own_frame && spec.frame) {
    const sql::WindowFrame& written = *spec.frame;
    frame = FrameText(written, binder->query());
    if (written.begin.kind == FrameKind::kUnboundedFollowing ||
        written.end.kind == FrameKind::kUnboundedPreceding) {
      return WrongFrame("SPECIFIED_WINDOW_FRAME_INVALID_BOUND", frame,
                        fmt::format("Window frame upper bound {} does not follow the lower bound "
                                    "{}.",
                                    QuotedSql(BoundText(written.end, binder->query(), true)),
                                    QuotedSql(BoundText(written.begin, binder->query(), true))),
                        written.span);
    }
    ARROW_ASSIGN_OR_RAISE(call.begin, BindBound(written, /*is_begin=*/true, binder, *bound));
    ARROW_ASSIGN_OR_RAISE(call.end, BindBound(written, /*is_begin=*/false, binder, *bound));
  } else if (!has_own_frame && bound->order.empty()) {
    frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
  } else if (!has_own_frame) {
    frame = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
    call.end.kind = WindowBound::Kind::kPeers;
  }
  call.text += " OVER " + SpecText(*bound, frame);
  return arrow::Status::OK();
}

bool WindowBinder::HaveSameWindow(const Call& a, const Call& b) {
  const auto same = [](const ExprPtr& x, const ExprPtr& y) { return ExprEquals(*x, *y); };
  const auto same_key = [&same](const SortKey& x, const SortKey& y) {
    return x.is_descending == y.is_descending && x.nulls_first == y.nulls_first &&
           same(x.expr, y.expr);
  };
  return std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(), b.partition.end(),
                    same) &&
         std::equal(a.order.begin(), a.order.end(), b.order.begin(), b.order.end(), same_key);
}

arrow::Status WindowBinder::RefuseAliases(const sql::WindowSpec& spec, std::string_view query,
                                          const Call& call) const {
  std::vector<ExprPtr> exprs = call.partition;
  for (const SortKey& key : call.order) exprs.push_back(key.expr);
  exprs.insert(exprs.end(), call.call.args.begin(), call.call.args.end());
  if (call.call.aggregate) {
    const std::vector<ExprPtr>& args = call.call.aggregate->args;
    exprs.insert(exprs.end(), args.begin(), args.end());
  }
  const Expr* alias = FindAliasIn(exprs);
  if (alias == nullptr) return arrow::Status::OK();
  const std::string frame = spec.frame ? FrameText(*spec.frame, query) : "unspecifiedframe$()";
  return AliasNotAllowed(*alias, "WINDOW", "window expression",
                         call.call.text + " OVER " + SpecText(call, frame));
}

arrow::Result<ExprPtr> WindowBinder::Bind(const sql::AstExpr& call, ExprBinder* binder) {
  ARROW_ASSIGN_OR_RAISE(const sql::WindowSpec* spec, FindSpec(*call.clauses->over));
  const size_t outer = calls_.size();
  Call bound;
  ARROW_RETURN_NOT_OK(BindSpec(*spec, binder, &bound));
  ARROW_RETURN_NOT_OK(BindFunction(call, binder, &bound));
  if (calls_.size() != outer) {
    return NotSupportedYet("NESTED_WINDOW_FUNCTION", "a window function in another one", call.span,
                           "use the inner one in a subquery");
  }
  ARROW_RETURN_NOT_OK(RefuseAliases(*spec, binder->query(), bound));
  ARROW_RETURN_NOT_OK(BindFrame(call, *spec, binder, &bound));
  if (call.is_distinct) {
    return QueryError(
        "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
        fmt::format("Distinct window functions are not supported: {}.", QuotedSql(bound.call.text)),
        call.span);
  }
  return Add(std::move(bound));
}

arrow::Result<ExprPtr> WindowBinder::BindRowId(const sql::AstExpr& call) {
  if (!call.args.empty()) return WrongArgs(call, "0", call.args.size());
  Call bound;
  bound.call.function = kRowIdFunction;
  bound.call.text = fmt::format("{}()", kRowIdFunction);
  bound.call.type = arrow::int64();
  bound.call.span = call.span;
  return Add(std::move(bound));
}

ExprPtr WindowBinder::Add(Call bound) {
  const int place = static_cast<int>(calls_.size());
  bound.group = place;
  for (const Call& known : calls_) {
    if (HaveSameWindow(known, bound)) bound.group = std::min(bound.group, known.group);
  }
  calls_.push_back(std::move(bound));
  const WindowCall& made = calls_.back().call;
  return MakeColumn(kWindowColumns + place, made.text, made.type, made.span);
}

arrow::Result<LogicalPlanPtr> WindowBinder::Build(LogicalPlanPtr plan, const Relocate& relocate) {
  columns_.assign(calls_.size(), 0);
  for (int group = 0; group < static_cast<int>(calls_.size()); ++group) {
    if (calls_[group].group != group) continue;
    const Span span = calls_[group].call.span;
    // Partition keys become columns, for rows are exchanged by columns.
    std::vector<PlanField> fields = plan->output;
    std::vector<ExprPtr> exprs = ColumnsOf(fields, span);
    const size_t width = exprs.size();
    std::vector<int> partition;
    for (const ExprPtr& key : calls_[group].partition) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr expr, relocate(key));
      if (expr->kind == Expr::Kind::kColumn) {
        partition.push_back(expr->column);
        continue;
      }
      partition.push_back(static_cast<int>(exprs.size()));
      fields.push_back({"", ExprText(*expr), expr->type});
      exprs.push_back(std::move(expr));
    }
    if (exprs.size() > width) {
      plan = MakeProject(std::move(plan), std::move(exprs), std::move(fields), span);
    }
    std::vector<SortKey> order = calls_[group].order;
    std::vector<WindowCall> calls;
    for (int i = group; i < static_cast<int>(calls_.size()); ++i) {
      if (calls_[i].group != group) continue;
      columns_[i] = static_cast<int>(plan->output.size() + calls.size());
      calls.push_back(calls_[i].call);
    }
    arrow::Status status;
    ForEachExpr(&order, &calls, [&](ExprPtr* expr) {
      arrow::Result<ExprPtr> moved = relocate(*expr);
      if (moved.ok()) {
        *expr = *std::move(moved);
      } else if (status.ok()) {
        status = moved.status();
      }
    });
    ARROW_RETURN_NOT_OK(status);
    plan =
        MakeWindow(std::move(plan), std::move(partition), std::move(order), std::move(calls), span);
  }
  return plan;
}

}  // namespace tidemill::driver
