#include "driver/plan/analyze/event_time/time_windows.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "common/base/ascii.h"
#include "common/expr/function_registry.h"
#include "common/types/interval/interval.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/name_scope.h"
#include "driver/plan/analyze/named_arguments.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

constexpr std::array<std::string_view, 3> kNames = {"window", "session_window", "window_time"};

void FindCalls(const sql::AstExpr& ast, std::vector<const sql::AstExpr*>* calls) {
  if (ast.kind == Kind::kCall && IsTimeWindowName(ast.name)) {
    calls->push_back(&ast);
    return;  // Its arguments are its own affair: window(window_time(w), ...).
  }
  for (const sql::AstExpr& arg : ast.args) FindCalls(arg, calls);
}

std::vector<const sql::AstExpr*> FindCalls(const sql::Query& query) {
  std::vector<const sql::AstExpr*> calls;
  const sql::Select& select = *query.select;
  for (const sql::SelectItem& item : select.items) FindCalls(item.expr, &calls);
  for (const sql::GroupingElement& element : select.group_by) {
    for (const sql::AstExpr& expr : element.exprs) FindCalls(expr, &calls);
    for (const sql::GroupingElement& inner : element.elements) {
      for (const sql::AstExpr& expr : inner.exprs) FindCalls(expr, &calls);
    }
  }
  if (select.having) FindCalls(*select.having, &calls);
  for (const sql::OrderItem& item : query.order_by) FindCalls(item.expr, &calls);
  return calls;
}

ExprPtr TextLiteral(const char* text) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(text));
}

ExprPtr MicrosLiteral(int64_t micros) {
  return MakeLiteral(std::make_shared<arrow::DurationScalar>(micros, DayTimeIntervalType()));
}

arrow::Status Mismatch(std::string_view sub_class, const sql::AstExpr& call, std::string rule) {
  return QueryError(fmt::format("DATATYPE_MISMATCH.{}", sub_class), std::move(rule), call.span);
}

// The length that a literal argument says. Errors: DATATYPE_MISMATCH for another expression.
arrow::Result<int64_t> MicrosOf(const Expr& arg, const sql::AstExpr& call) {
  const auto wrong = [&] {
    return Mismatch("UNEXPECTED_INPUT_TYPE", call,
                    fmt::format("Cannot resolve {} due to data type mismatch: a duration must be a "
                                "constant interval of days or less, like '10 minutes'.",
                                QuotedSql(ExprText(arg))));
  };
  if (arg.kind != Expr::Kind::kLiteral || !arg.literal->is_valid) return wrong();
  const arrow::DataType& type = *arg.type;
  if (IsDayTimeInterval(type)) {
    const int64_t value = static_cast<const arrow::DurationScalar&>(*arg.literal).value;
    return IsDayInterval(type) ? value * 1'000'000 : value;
  }
  if (type.id() != arrow::Type::STRING) return wrong();
  const std::string literal =
      static_cast<const arrow::StringScalar&>(*arg.literal).value->ToString();
  auto interval = ParseInterval(literal);
  if (!interval.ok()) {
    return MakeError(KindOf(interval.status()), ErrorClassOf(interval.status()),
                     interval.status().message(), arg.span);
  }
  if (interval->months != 0) {
    return QueryError("UNSUPPORTED_FEATURE.TIME_WINDOW_OF_MONTHS",
                      fmt::format("Intervals greater than a month is not supported ({}).", literal),
                      arg.span);
  }
  return interval->days * int64_t{86'400'000'000} + interval->microseconds;
}

struct WindowShape {
  int64_t duration_us = 0;
  int64_t slide_us = 0;
  int64_t start_us = 0;
};

// "window(ts, 60000000, 60000000, 0)": as Spark names it, lengths in microseconds.
std::string WindowText(const Expr& time, const WindowShape& shape) {
  return fmt::format("\"window({}, {}, {}, {})\"", ExprText(time), shape.duration_us,
                     shape.slide_us, shape.start_us);
}

arrow::Status OutOfRange(const sql::AstExpr& call, std::string_view window, std::string_view what,
                         int64_t value) {
  return Mismatch(
      "VALUE_OUT_OF_RANGE", call,
      fmt::format("Cannot resolve {} due to data type mismatch: The `{}` must be between "
                  "(0, 9223372036854775807] (current value = {}L).",
                  window, what, value));
}

arrow::Result<WindowShape> ShapeOf(const sql::AstExpr& call, const std::vector<ExprPtr>& args) {
  if (args.size() < 2 || args.size() > 4) {
    return QueryError(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        fmt::format("The `window` requires 2, 3 or 4 parameters but the actual number "
                    "is {}.",
                    args.size()),
        call.span);
  }
  WindowShape shape;
  ARROW_ASSIGN_OR_RAISE(shape.duration_us, MicrosOf(*args[1], call));
  shape.slide_us = shape.duration_us;
  if (args.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(shape.slide_us, MicrosOf(*args[2], call));
  }
  if (args.size() > 3) {
    ARROW_ASSIGN_OR_RAISE(shape.start_us, MicrosOf(*args[3], call));
  }
  const std::string text = WindowText(*args[0], shape);
  if (shape.duration_us <= 0) return OutOfRange(call, text, "window_duration", shape.duration_us);
  if (shape.slide_us <= 0) return OutOfRange(call, text, "slide_duration", shape.slide_us);
  if (shape.slide_us > shape.duration_us) {
    return Mismatch("PARAMETER_CONSTRAINT_VIOLATION", call,
                    fmt::format("Cannot resolve {} due to data type mismatch: The "
                                "`slide_duration`({}L) must be <= the `window_duration`({}L).",
                                text, shape.slide_us, shape.duration_us));
  }
  if (std::abs(shape.start_us) >= shape.slide_us) {
    return Mismatch("PARAMETER_CONSTRAINT_VIOLATION", call,
                    fmt::format("Cannot resolve {} due to data type mismatch: The "
                                "`abs(start_time)`({}L) must be < the `slide_duration`({}L).",
                                text, std::abs(shape.start_us), shape.slide_us));
  }
  return shape;
}

// Adds the columns of one SELECT's calls.
class Builder {
 public:
  Builder(LogicalPlanPtr input, const AnalyzerContext& context)
      : scope_(input->output), context_(context) {
    windowed_.plan = std::move(input);
  }

  arrow::Status Add(const sql::AstExpr& call);
  WindowedInput Finish() { return std::move(windowed_); }

 private:
  // `window` names the window in errors.
  arrow::Result<ExprPtr> TimeOf(ExprPtr arg, const sql::AstExpr& call, std::string_view window);
  std::optional<EventTime> EventTimeOf(const Expr& expr) const;
  arrow::Status AddWindow(const sql::AstExpr& call, const std::vector<ExprPtr>& args);
  arrow::Status AddSession(const sql::AstExpr& call, const std::vector<ExprPtr>& args);
  arrow::Status AddWindowTime(const sql::AstExpr& call, const std::vector<ExprPtr>& args);
  arrow::Status RequireFirst(const sql::AstExpr& call);
  arrow::Status DropRowsWithoutTime(const ExprPtr& time, Span span);
  void AddColumn(ExprPtr expr, PlanField field, Span span);
  void Note(const sql::AstExpr& call, const std::vector<ExprPtr>& args);

  const NameScope scope_;
  const AnalyzerContext& context_;
  WindowedInput windowed_;
  bool has_window_ = false;
};

arrow::Status Builder::RequireFirst(const sql::AstExpr& call) {
  if (!std::exchange(has_window_, true)) return arrow::Status::OK();
  return QueryError("UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS",
                    "Multiple time/session window expressions would result in a cartesian product "
                    "of rows, therefore they are currently not supported.",
                    call.span);
}

// Time windows of windows: the time of a window is its last microsecond.
arrow::Result<ExprPtr> WindowTime(const ExprPtr& window, Span span) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr end, ExtractField(window, "end", span));
  return MakeCall("-", {std::move(end), MicrosLiteral(1)}, span);
}

arrow::Result<ExprPtr> Builder::TimeOf(ExprPtr arg, const sql::AstExpr& call,
                                       std::string_view window) {
  if (arg->type->id() == arrow::Type::TIMESTAMP) return arg;
  if (arg->type->id() == arrow::Type::STRUCT) return WindowTime(arg, call.span);
  const bool is_castable = arg->type->id() == arrow::Type::STRING ||
                           arg->type->id() == arrow::Type::DATE32 ||
                           arg->type->id() == arrow::Type::NA;
  if (is_castable)
    return ImplicitCast(std::move(arg), arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  return Mismatch("UNEXPECTED_INPUT_TYPE", call,
                  fmt::format("Cannot resolve {} due to data type mismatch: The first parameter "
                              "requires the (\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or "
                              "\"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\" or \"STRUCT<start: "
                              "TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>\") type, however {} has the type "
                              "{}.",
                              window, QuotedSql(ExprText(*arg)), QuotedType(*arg->type)));
}

// The event time of a column, or of the times made of one.
std::optional<EventTime> Builder::EventTimeOf(const Expr& expr) const {
  if (expr.kind == Expr::Kind::kColumn) return windowed_.plan->output[expr.column].event_time;
  return std::nullopt;
}

arrow::Status Builder::DropRowsWithoutTime(const ExprPtr& time, Span span) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, MakeCall("isnotnull", {time}, span));
  windowed_.plan = MakeFilter(std::move(windowed_.plan), std::move(condition), span);
  return arrow::Status::OK();
}

void Builder::AddColumn(ExprPtr expr, PlanField field, Span span) {
  std::vector<PlanField> fields = windowed_.plan->output;
  std::vector<ExprPtr> exprs = ColumnsOf(fields);
  exprs.push_back(std::move(expr));
  fields.push_back(std::move(field));
  windowed_.plan =
      MakeProject(std::move(windowed_.plan), std::move(exprs), std::move(fields), span);
}

void Builder::Note(const sql::AstExpr& call, const std::vector<ExprPtr>& args) {
  const PlanField& field = windowed_.plan->output.back();
  windowed_.columns.push_back({AsciiLower(call.name), args,
                               static_cast<int>(windowed_.plan->output.size()) - 1, field.name,
                               field.type});
}

arrow::Result<ExprPtr> MakeWindow(const ExprPtr& start, ExprPtr end, Span span) {
  return MakeCall("named_struct", {TextLiteral("start"), start, TextLiteral("end"), std::move(end)},
                  span);
}

arrow::Status Builder::AddWindow(const sql::AstExpr& call, const std::vector<ExprPtr>& args) {
  ARROW_RETURN_NOT_OK(RequireFirst(call));
  ARROW_ASSIGN_OR_RAISE(const WindowShape shape, ShapeOf(call, args));
  ARROW_ASSIGN_OR_RAISE(const ExprPtr time, TimeOf(args[0], call, WindowText(*args[0], shape)));
  const std::optional<EventTime> event_time = EventTimeOf(*args[0]);
  ARROW_RETURN_NOT_OK(DropRowsWithoutTime(time, call.span));
  const std::vector<ExprPtr> parts = {time, MicrosLiteral(shape.duration_us),
                                      MicrosLiteral(shape.slide_us), MicrosLiteral(shape.start_us)};
  const std::vector<PlanField> before = windowed_.plan->output;
  const auto start_column = static_cast<int>(before.size());
  if (shape.slide_us == shape.duration_us) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr start, MakeCall("$window_start", parts, call.span));
    AddColumn(std::move(start), {"", "$start", time->type}, call.span);
  } else {
    std::vector<int> kept(before.size());
    std::iota(kept.begin(), kept.end(), 0);
    windowed_.plan = MakeGenerate(std::move(windowed_.plan), "$windows", parts, std::move(kept),
                                  {{"", "$start", time->type}}, call.span);
  }
  const ExprPtr start = MakeColumn(start_column, "$start", time->type);
  ARROW_ASSIGN_OR_RAISE(ExprPtr end,
                        MakeCall("+", {start, MicrosLiteral(shape.duration_us)}, call.span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr window, MakeWindow(start, std::move(end), call.span));
  // The start itself is not a column of the result.
  std::vector<PlanField> fields = before;
  std::vector<ExprPtr> exprs = ColumnsOf(before);
  fields.push_back({"", "window", window->type, event_time});
  exprs.push_back(std::move(window));
  windowed_.plan =
      MakeProject(std::move(windowed_.plan), std::move(exprs), std::move(fields), call.span);
  Note(call, args);
  return arrow::Status::OK();
}

arrow::Status Builder::AddSession(const sql::AstExpr& call, const std::vector<ExprPtr>& args) {
  ARROW_RETURN_NOT_OK(RequireFirst(call));
  if (args.size() != 2) {
    return QueryError(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        fmt::format("The `session_window` requires 2 parameters but the actual number "
                    "is {}.",
                    args.size()),
        call.span);
  }
  ARROW_ASSIGN_OR_RAISE(const ExprPtr time,
                        TimeOf(args[0], call, QuotedSql(TextAt(context_.query, call.span))));
  const std::optional<EventTime> event_time = EventTimeOf(*args[0]);
  ExprPtr gap = args[1];
  if (gap->kind == Expr::Kind::kLiteral) {
    ARROW_ASSIGN_OR_RAISE(const int64_t micros, MicrosOf(*gap, call));
    gap = MicrosLiteral(micros);
  } else if (gap->type->id() == arrow::Type::STRING) {
    ARROW_ASSIGN_OR_RAISE(gap, MakeCast(std::move(gap), CalendarIntervalType(), false, call.span));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr end, MakeCall("+", {time, std::move(gap)}, call.span));
  // Rows with a gap of nothing or less have no session; a NULL time or gap neither.
  ARROW_ASSIGN_OR_RAISE(ExprPtr has_session, MakeCall(">", {end, time}, call.span));
  windowed_.plan = MakeFilter(std::move(windowed_.plan), std::move(has_session), call.span);
  ARROW_ASSIGN_OR_RAISE(ExprPtr session, MakeWindow(time, std::move(end), call.span));
  const auto type = session->type;
  AddColumn(std::move(session), {"", "session_window", type, event_time}, call.span);
  Note(call, args);
  return arrow::Status::OK();
}

arrow::Status Builder::AddWindowTime(const sql::AstExpr& call, const std::vector<ExprPtr>& args) {
  if (args.size() != 1 || args[0]->type->id() != arrow::Type::STRUCT) {
    return Mismatch("UNEXPECTED_INPUT_TYPE", call,
                    "Cannot resolve the window time due to data type mismatch: window_time() "
                    "requires one column that window() has given.");
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr time, WindowTime(args[0], call.span));
  const std::optional<EventTime> event_time = EventTimeOf(*args[0]);
  const auto type = time->type;
  AddColumn(std::move(time), {"", std::string(TextAt(context_.query, call.span)), type, event_time},
            call.span);
  Note(call, args);
  return arrow::Status::OK();
}

arrow::Status Builder::Add(const sql::AstExpr& call) {
  if (HasArgumentsToArrange(call.name, call.args)) {
    return ArrangeArguments(call.name, call.args, call.span).status();
  }
  ExprBinder::Options options{context_.query, context_.zone.get()};
  options.time_columns = &windowed_.columns;
  // window(window_time(w), ...): the inner call becomes a column first.
  for (const sql::AstExpr& arg : call.args) {
    std::vector<const sql::AstExpr*> inner;
    FindCalls(arg, &inner);
    for (const sql::AstExpr* inner_call : inner) ARROW_RETURN_NOT_OK(Add(*inner_call));
  }
  ExprBinder binder(scope_, options);
  ARROW_ASSIGN_OR_RAISE(const std::vector<ExprPtr> args, binder.BindAll(call.args));
  const std::string name = AsciiLower(call.name);
  if (FindTimeColumn(windowed_.columns, name, args) != nullptr) return arrow::Status::OK();
  if (args.empty()) {
    return QueryError(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        fmt::format("The {} requires parameters but the actual number is 0.", QuotedName(name)),
        call.span);
  }
  if (name == "window") return AddWindow(call, args);
  return name == "session_window" ? AddSession(call, args) : AddWindowTime(call, args);
}

}  // namespace

bool IsTimeWindowName(std::string_view name) {
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view known) { return EqualsIgnoreCase(known, name); });
}

arrow::Result<WindowedInput> AddTimeColumns(const sql::Query& query, LogicalPlanPtr input,
                                            const AnalyzerContext& context) {
  Builder builder(std::move(input), context);
  for (const sql::AstExpr* call : FindCalls(query)) ARROW_RETURN_NOT_OK(builder.Add(*call));
  return builder.Finish();
}

const TimeColumn* FindTimeColumn(const std::vector<TimeColumn>& columns, std::string_view function,
                                 const std::vector<ExprPtr>& args) {
  for (const TimeColumn& column : columns) {
    const bool is_same =
        EqualsIgnoreCase(column.function, function) &&
        std::equal(column.args.begin(), column.args.end(), args.begin(), args.end(),
                   [](const ExprPtr& a, const ExprPtr& b) { return ExprEquals(*a, *b); });
    if (is_same) return &column;
  }
  return nullptr;
}

}  // namespace tidemill::driver
