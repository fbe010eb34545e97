#include <arrow/type.h>
#include <fmt/format.h>

#include <cctype>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

bool HasZone(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

int64_t LocalMicros(const TimeZone& zone, int64_t micros_utc) {
  return micros_utc + UtcOffsetSeconds(zone, micros_utc) * kMicrosPerSecond;
}

// 0 is Monday; 1970-01-01 was a Thursday.
int64_t DayOfWeek(int64_t days) { return FloorMod(days + 3, 7); }

int64_t DayOfYear(int64_t days) {
  return days - DaysFromCivil({CivilFromDays(days).year, 1, 1}) + 1;
}

// ISO 8601: the week of a year's first Thursday is its week 1.
int64_t WeekOfYear(int64_t days) {
  const int64_t thursday = days - DayOfWeek(days) + 3;
  return (DayOfYear(thursday) - 1) / 7 + 1;
}

// A part of a day as INT, for DATE and for anything cast to it.
template <class Part>
FunctionInfo DatePart(const std::string& name, Part part) {
  Kernel kernel = [part](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]);
    return ComputeFixed<int32_t>(context, args, rows, arrow::int32(), [&](int64_t row) {
      return static_cast<int32_t>(part(int64_t{days[row]}));
    });
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(date)", name),
                        .params = {arrow::date32()},
                        .result = arrow::int32(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

// A part of the time of day, in the session's zone.
FunctionInfo TimePart(const std::string& name, int64_t unit, int64_t count) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(timestamp)", name);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    TypePtr type = args[0]->type;
    if (type->id() != arrow::Type::TIMESTAMP) type = TimestampType();
    if (!CanCastImplicitly(*args[0]->type, *type)) {
      return UnexpectedInput(name, args, 0, "\"TIMESTAMP\"");
    }
    Kernel kernel = [=, has_zone = HasZone(*type)](const EvalContext& context, Args values,
                                                   int64_t rows) {
      const FixedColumn<int64_t> micros(values[0]);
      const TimeZone& zone = ZoneOf(context);
      return ComputeFixed<int32_t>(context, values, rows, arrow::int32(), [&](int64_t row) {
        const int64_t local = has_zone ? LocalMicros(zone, micros[row]) : micros[row];
        return static_cast<int32_t>(FloorMod(FloorDiv(local, unit), count));
      });
    };
    return BoundFunction{{type}, arrow::int32(), std::move(kernel)};
  };
  return info;
}

enum class Unit { kYear, kQuarter, kMonth, kWeek, kDay, kHour, kMinute, kSecond, kMilli, kMicro };

std::optional<Unit> UnitOf(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (text == "YEAR" || text == "YYYY" || text == "YY") return Unit::kYear;
  if (text == "QUARTER") return Unit::kQuarter;
  if (text == "MONTH" || text == "MM" || text == "MON") return Unit::kMonth;
  if (text == "WEEK") return Unit::kWeek;
  if (text == "DAY" || text == "DD") return Unit::kDay;
  if (text == "HOUR") return Unit::kHour;
  if (text == "MINUTE") return Unit::kMinute;
  if (text == "SECOND") return Unit::kSecond;
  if (text == "MILLISECOND") return Unit::kMilli;
  if (text == "MICROSECOND") return Unit::kMicro;
  return std::nullopt;
}

int64_t TruncatedDays(int64_t days, Unit unit) {
  CivilDate date = CivilFromDays(days);
  switch (unit) {
    case Unit::kYear:
      return DaysFromCivil({date.year, 1, 1});
    case Unit::kQuarter:
      return DaysFromCivil({date.year, (date.month - 1) / 3 * 3 + 1, 1});
    case Unit::kMonth:
      return DaysFromCivil({date.year, date.month, 1});
    case Unit::kWeek:
      return days - DayOfWeek(days);
    default:
      return days;
  }
}

int64_t TruncatedMicros(const TimeZone& zone, int64_t micros, Unit unit) {
  switch (unit) {
    case Unit::kMicro:
      return micros;
    case Unit::kMilli:
      return micros - FloorMod(micros, 1000);
    case Unit::kSecond:
      return micros - FloorMod(micros, kMicrosPerSecond);
    default:
      break;
  }
  const int64_t local = LocalMicros(zone, micros);
  // Within a day the offset is kept, so that the repeated hour of a change of clocks stays itself.
  if (unit == Unit::kMinute) return micros - FloorMod(local, 60 * kMicrosPerSecond);
  if (unit == Unit::kHour) return micros - FloorMod(local, 3600 * kMicrosPerSecond);
  const int64_t days = TruncatedDays(FloorDiv(local, kMicrosPerDay), unit);
  return LocalToUtcMicros(zone, days * kMicrosPerDay);
}

// date_trunc(unit, timestamp); an unknown unit gives NULL, as in Spark.
arrow::Result<Kernel> MakeDateTrunc(std::span<const ExprPtr> args) {
  std::string text;
  if (StringLiteralOf(*args[0], &text) == nullptr) {
    return NonFoldableArgument("date_trunc", args, 0);
  }
  const std::optional<Unit> unit = UnitOf(text);
  return Kernel(
      [unit](const EvalContext& context, Args values, int64_t rows) -> arrow::Result<arrow::Datum> {
        if (!unit) return NullDatum(TimestampType());
        const FixedColumn<int64_t> micros(values[1]);
        const TimeZone& zone = ZoneOf(context);
        return ComputeFixed<int64_t>(context, values, rows, TimestampType(), [&](int64_t row) {
          return TruncatedMicros(zone, micros[row], *unit);
        });
      });
}

// date_add and date_sub.
Kernel AddDays(int sign) {
  return [sign](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]), count(args[1]);
    return ComputeFixedChecked<int32_t>(context, args, rows, arrow::date32(),
                                        [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
                                          const int64_t sum =
                                              int64_t{days[row]} + sign * int64_t{count[row]};
                                          *out = static_cast<int32_t>(sum);
                                          if (*out == sum) return true;
                                          return ArithmeticOverflow("integer overflow", "");
                                        });
  };
}

arrow::Result<arrow::Datum> DateDiff(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> end(args[0]), start(args[1]);
  return ComputeFixedChecked<int32_t>(context, args, rows, arrow::int32(),
                                      [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
                                        if (!__builtin_sub_overflow(end[row], start[row], out)) {
                                          return true;
                                        }
                                        return ArithmeticOverflow("integer overflow", "");
                                      });
}

FunctionInfo Now(const std::string& name, const TypePtr& type) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "()";
  info.is_total = true;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, name + "()", args.size(), 0, 0));
    const bool is_date = type->id() == arrow::Type::DATE32;
    Kernel kernel = [=](const EvalContext& context, Args, int64_t) -> arrow::Result<arrow::Datum> {
      if (!is_date) {
        return arrow::Datum(std::make_shared<arrow::TimestampScalar>(context.epoch_time_us, type));
      }
      const int64_t local = LocalMicros(ZoneOf(context), context.epoch_time_us);
      const auto days = static_cast<int32_t>(FloorDiv(local, kMicrosPerDay));
      return arrow::Datum(std::make_shared<arrow::Date32Scalar>(days));
    };
    return BoundFunction{{}, type, std::move(kernel)};
  };
  return info;
}

// to_date and to_timestamp without a pattern are casts.
FunctionInfo CastFunction(const std::string& name, const TypePtr& type) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 2));
    if (args.size() == 2) {
      return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.DATETIME_PATTERN",
                       fmt::format("{} with a pattern is not supported yet", name));
    }
    TypePtr from = args[0]->type;
    if (from->id() == arrow::Type::NA) from = arrow::utf8();
    if (!IsStringType(*from) && !IsDatetimeType(*from)) {
      return UnexpectedInput(name, args, 0, "(\"STRING\" or \"DATE\" or \"TIMESTAMP\")");
    }
    ARROW_ASSIGN_OR_RAISE(Kernel kernel, MakeCastKernel(from, type, false));
    return BoundFunction{{from}, type, std::move(kernel), IsTotalCast(*from, *type)};
  };
  return info;
}

// Cuts toward zero, unlike CAST(timestamp AS BIGINT); as in Spark.
arrow::Result<arrow::Datum> UnixTimestamp(const EvalContext& context, Args args, int64_t rows) {
  if (args.empty()) {
    return arrow::Datum(FloorDiv(context.epoch_time_us, kMicrosPerSecond));
  }
  const FixedColumn<int64_t> micros(args[0]);
  return ComputeFixed<int64_t>(context, args, rows, arrow::int64(),
                               [&](int64_t row) { return micros[row] / kMicrosPerSecond; });
}

void AddDateParts(FunctionCatalog* catalog) {
  catalog->Add(DatePart("year", [](int64_t days) { return CivilFromDays(days).year; }));
  catalog->Add(
      DatePart("quarter", [](int64_t days) { return (CivilFromDays(days).month + 2) / 3; }));
  catalog->Add(DatePart("month", [](int64_t days) { return CivilFromDays(days).month; }));
  catalog->Add(DatePart("day", [](int64_t days) { return CivilFromDays(days).day; }),
               {"dayofmonth"});
  catalog->Add(DatePart("dayofweek", [](int64_t days) { return (DayOfWeek(days) + 1) % 7 + 1; }));
  catalog->Add(DatePart("weekday", DayOfWeek));
  catalog->Add(DatePart("dayofyear", DayOfYear));
  catalog->Add(DatePart("weekofyear", WeekOfYear));
  catalog->Add(TimePart("hour", 3600 * kMicrosPerSecond, 24));
  catalog->Add(TimePart("minute", 60 * kMicrosPerSecond, 60));
  catalog->Add(TimePart("second", kMicrosPerSecond, 60));
}

}  // namespace

void AddDatetimeFunctions(FunctionCatalog* catalog) {
  const TypePtr& date = arrow::date32();
  const TypePtr& number = arrow::int32();
  AddDateParts(catalog);
  catalog->Add(Now("current_timestamp", TimestampType()), {"now"});
  catalog->Add(Now("current_date", date), {"curdate"});
  catalog->Add(CastFunction("to_date", date));
  catalog->Add(CastFunction("to_timestamp", TimestampType()));
  catalog->Add(FromSignature({.name = "date_trunc",
                              .usage = "date_trunc(unit, timestamp)",
                              .params = {arrow::utf8(), TimestampType()},
                              .result = TimestampType(),
                              .make_kernel = MakeDateTrunc,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "date_add",
                              .usage = "date_add(start_date, num_days)",
                              .params = {date, number},
                              .result = date,
                              .kernel = AddDays(1)}),
               {"dateadd"});
  catalog->Add(FromSignature({.name = "date_sub",
                              .usage = "date_sub(start_date, num_days)",
                              .params = {date, number},
                              .result = date,
                              .kernel = AddDays(-1)}));
  catalog->Add(FromSignature({.name = "datediff",
                              .usage = "datediff(end_date, start_date)",
                              .params = {date, date},
                              .result = number,
                              .kernel = DateDiff}),
               {"date_diff"});
  catalog->Add(FromSignature({.name = "unix_timestamp",
                              .usage = "unix_timestamp([timestamp])",
                              .params = {TimestampType()},
                              .required = 0,
                              .result = arrow::int64(),
                              .kernel = UnixTimestamp}));
}

}  // namespace tidemill
