#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

// Sums and differences of dates and timestamps.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// An INT day from `value(row)`, which may be out of range.
template <class Value>
arrow::Result<arrow::Datum> ComputeDays(const EvalContext& context, Args args, int64_t rows,
                                        Value value) {
  return ComputeFixedChecked<int32_t>(context, args, rows, arrow::date32(),
                                      [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
                                        const int64_t days = value(row);
                                        *out = static_cast<int32_t>(days);
                                        if (*out == days) return true;
                                        return ArithmeticOverflow("integer overflow", "");
                                      });
}

// date_add and date_sub.
Kernel AddDays(int sign) {
  return [sign](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]), count(args[1]);
    return ComputeDays(context, args, rows, [&](int64_t row) {
      return int64_t{days[row]} + sign * int64_t{count[row]};
    });
  };
}

arrow::Result<arrow::Datum> AddMonthsTo(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> days(args[0]), months(args[1]);
  return ComputeDays(context, args, rows,
                     [&](int64_t row) { return AddMonths(days[row], months[row]); });
}

arrow::Result<arrow::Datum> LastDay(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> days(args[0]);
  return ComputeDays(context, args, rows, [&](int64_t row) {
    const CivilDate date = CivilFromDays(days[row]);
    return int64_t{days[row]} + DaysInMonth(date.year, date.month) - date.day;
  });
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

// 0 is Monday; -1 for what is no day's name.
int DayOfName(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {"MONDAY", "TUESDAY",  "WEDNESDAY", "THURSDAY",
                                                      "FRIDAY", "SATURDAY", "SUNDAY"};
  const std::string text = UpperCase(name);
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i] || text == kNames[i].substr(0, 3) || text == kNames[i].substr(0, 2)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

arrow::Result<arrow::Datum> NextDay(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> days(args[0]);
  const TextColumn names(args[1]);
  return ComputeFixedChecked<int32_t>(
      context, args, rows, arrow::date32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        const int wanted = DayOfName(names[row]);
        if (wanted < 0) {
          return MakeError(ErrorKind::kJobFailed, "ILLEGAL_DAY_OF_WEEK",
                           fmt::format("Illegal input for day of week: {}.", names[row]));
        }
        const int64_t days_on = FloorMod(wanted - DayOfWeek(days[row]) - 1, 7) + 1;
        *out = static_cast<int32_t>(days[row] + days_on);
        return true;
      });
}

// The months between two wall clocks; days count as 31sts of a month, unless both are the same day
// of the month or the last.
double MonthsBetween(int64_t local1, int64_t local2, bool is_rounded) {
  const int64_t days1 = FloorDiv(local1, kMicrosPerDay), days2 = FloorDiv(local2, kMicrosPerDay);
  const CivilDate a = CivilFromDays(days1), b = CivilFromDays(days2);
  const auto months = static_cast<double>((a.year * 12 + a.month) - (b.year * 12 + b.month));
  const bool are_last =
      a.day == DaysInMonth(a.year, a.month) && b.day == DaysInMonth(b.year, b.month);
  if (a.day == b.day || are_last) return months;
  const int64_t seconds1 = (local1 - days1 * kMicrosPerDay) / kMicrosPerSecond;
  const int64_t seconds2 = (local2 - days2 * kMicrosPerDay) / kMicrosPerSecond;
  const int64_t seconds = (a.day - b.day) * kSecondsPerDay + seconds1 - seconds2;
  const double result = months + static_cast<double>(seconds) / (31.0 * kSecondsPerDay);
  return is_rounded ? std::floor(result * 1e8 + 0.5) / 1e8 : result;
}

arrow::Result<arrow::Datum> MonthsBetweenKernel(const EvalContext& context, Args args,
                                                int64_t rows) {
  const FixedColumn<int64_t> a(args[0]), b(args[1]);
  const arrow::Datum yes(true);
  const BoolColumn is_rounded(args.size() == 3 ? args[2] : yes);
  const TimeZone& zone = ZoneOf(context);
  return ComputeFixed<double>(context, args, rows, arrow::float64(), [&](int64_t row) {
    return MonthsBetween(LocalMicros(zone, a[row]), LocalMicros(zone, b[row]), is_rounded[row]);
  });
}

// The units of timestampadd and timestampdiff: months, or microseconds, or days on the clock.
struct TimeUnit {
  std::string_view name;
  int32_t months;
  int32_t days;
  int64_t micros;
};

constexpr auto kTimeUnits = std::to_array<TimeUnit>({
    {"YEAR", 12, 0, 0},
    {"QUARTER", 3, 0, 0},
    {"MONTH", 1, 0, 0},
    {"WEEK", 0, 7, 0},
    {"DAY", 0, 1, 0},
    {"DAYOFYEAR", 0, 1, 0},
    {"HOUR", 0, 0, 3600 * kMicrosPerSecond},
    {"MINUTE", 0, 0, 60 * kMicrosPerSecond},
    {"SECOND", 0, 0, kMicrosPerSecond},
    {"MILLISECOND", 0, 0, 1000},
    {"MICROSECOND", 0, 0, 1},
});

arrow::Result<TimeUnit> UnitOf(std::string_view function, std::span<const ExprPtr> args) {
  std::string name;
  if (StringLiteralOf(*args[0], &name) == nullptr) return NonFoldableArgument(function, args, 0);
  const std::string upper = UpperCase(name);
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.name == upper) return unit;
  }
  return MakeError(ErrorKind::kInvalid, "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
                   fmt::format("The value of parameter(s) `unit` in `{}` is invalid: expects one "
                               "of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, "
                               "DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got "
                               "the string literal '{}'.",
                               function, ExprText(*args[0])));
}

Kernel AddUnits(const TimeUnit& unit, const TypePtr& type) {
  return [unit, type](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> counts(args[1]), points(args[2]);
    const TimeZone& zone = IsInstantType(*type) ? ZoneOf(context) : *UtcTimeZone();
    return ComputeFixedChecked<int64_t>(
        context, args, rows, type, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          const int64_t count = counts[row];
          const int64_t months = count * unit.months, days = count * unit.days;
          Interval span = {static_cast<int32_t>(months), static_cast<int32_t>(days), 0};
          *out = points[row];
          const bool fits = count == static_cast<int32_t>(count) && span.months == months &&
                            span.days == days &&
                            !__builtin_mul_overflow(count, unit.micros, &span.microseconds);
          if (fits && AddInterval(zone, span, out)) return true;
          return MakeError(ErrorKind::kJobFailed, "DATETIME_OVERFLOW",
                           fmt::format("Datetime operation overflow: add {} {} to a timestamp.",
                                       count, unit.name));
        });
  };
}

// The whole months from one wall clock to another, cut toward zero.
int64_t WholeMonths(int64_t start, int64_t end) {
  if (end < start) return -WholeMonths(end, start);
  const int64_t start_days = FloorDiv(start, kMicrosPerDay),
                end_days = FloorDiv(end, kMicrosPerDay);
  const CivilDate a = CivilFromDays(start_days), b = CivilFromDays(end_days);
  const int64_t months = (b.year - a.year) * 12 + (b.month - a.month);
  const int64_t rest_a = a.day * kMicrosPerDay + (start - start_days * kMicrosPerDay);
  const int64_t rest_b = b.day * kMicrosPerDay + (end - end_days * kMicrosPerDay);
  return rest_b < rest_a ? months - 1 : months;
}

Kernel CountUnits(const TimeUnit& unit) {
  return [unit](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> starts(args[1]), ends(args[2]);
    const TimeZone& zone = ZoneOf(context);
    const int64_t micros = unit.days > 0 ? unit.days * kMicrosPerDay : unit.micros;
    return ComputeFixed<int64_t>(context, args, rows, arrow::int64(), [&](int64_t row) {
      const int64_t start = LocalMicros(zone, starts[row]), end = LocalMicros(zone, ends[row]);
      return unit.months > 0 ? WholeMonths(start, end) / unit.months : (end - start) / micros;
    });
  };
}

arrow::Result<BoundFunction> BindTimestampAdd(std::span<const ExprPtr> args) {
  const std::string_view name = "timestampadd";
  ARROW_RETURN_NOT_OK(
      CheckArgCount(name, "timestampadd(unit, count, timestamp)", args.size(), 3, 3));
  ARROW_ASSIGN_OR_RAISE(const TimeUnit unit, UnitOf(name, args));
  if (!CanCastImplicitly(*args[1]->type, *arrow::int64())) {
    return UnexpectedInput(name, args, 1, "\"BIGINT\"");
  }
  TypePtr type = args[2]->type;
  if (type->id() != arrow::Type::TIMESTAMP) type = TimestampType();
  if (!CanCastImplicitly(*args[2]->type, *type)) {
    return UnexpectedInput(name, args, 2, "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\")");
  }
  return BoundFunction{{args[0]->type, arrow::int64(), type}, type, AddUnits(unit, type)};
}

arrow::Result<BoundFunction> BindTimestampDiff(std::span<const ExprPtr> args) {
  const std::string_view name = "timestampdiff";
  ARROW_RETURN_NOT_OK(CheckArgCount(name, "timestampdiff(unit, start, end)", args.size(), 3, 3));
  ARROW_ASSIGN_OR_RAISE(const TimeUnit unit, UnitOf(name, args));
  for (size_t i = 1; i < 3; ++i) {
    if (!CanCastImplicitly(*args[i]->type, *TimestampType())) {
      return UnexpectedInput(name, args, i, "\"TIMESTAMP\"");
    }
  }
  return BoundFunction{
      {args[0]->type, TimestampType(), TimestampType()}, arrow::int64(), CountUnits(unit), true};
}

// date_add(date, days), or with three arguments date_add(unit, count, timestamp); the same for
// date_diff.
FunctionInfo DateOrUnits(Signature signature,
                         arrow::Result<BoundFunction> (*bind_units)(std::span<const ExprPtr>)) {
  FunctionInfo info = FromSignature(std::move(signature));
  info.bind = [of_dates = info.bind, bind_units](std::span<const ExprPtr> args) {
    return args.size() == 3 ? bind_units(args) : of_dates(args);
  };
  return info;
}

FunctionInfo OfUnits(const std::string& name, const std::string& usage,
                     arrow::Result<BoundFunction> (*bind)(std::span<const ExprPtr>)) {
  FunctionInfo info;
  info.name = name;
  info.usage = usage;
  info.bind = bind;
  return info;
}

// The second argument, days, is a whole number of at most 32 bits, or text.
FunctionInfo OfWholeDays(FunctionInfo info) {
  info.bind = [name = info.name, bind = std::move(info.bind)](
                  std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const bool is_number = args.size() == 2 && IsNumericType(*args[1]->type);
    if (is_number &&
        (!IsIntegralType(*args[1]->type) || args[1]->type->id() == arrow::Type::INT64)) {
      return UnexpectedInput(name, args, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")");
    }
    return bind(args);
  };
  return info;
}

}  // namespace

void AddDateMathFunctions(FunctionCatalog* catalog) {
  const TypePtr& date = arrow::date32();
  const TypePtr& number = arrow::int32();
  for (const char* name : {"date_add", "dateadd"}) {
    catalog->Add(OfWholeDays(DateOrUnits({.name = name,
                                          .usage = fmt::format("{}(start_date, num_days)", name),
                                          .params = {date, number},
                                          .result = date,
                                          .kernel = AddDays(1)},
                                         BindTimestampAdd)));
  }
  for (const char* name : {"datediff", "date_diff"}) {
    catalog->Add(DateOrUnits({.name = name,
                              .usage = fmt::format("{}(end_date, start_date)", name),
                              .params = {date, date},
                              .result = number,
                              .kernel = DateDiff},
                             BindTimestampDiff));
  }
  catalog->Add(OfWholeDays(FromSignature({.name = "date_sub",
                                          .usage = "date_sub(start_date, num_days)",
                                          .params = {date, number},
                                          .result = date,
                                          .kernel = AddDays(-1)})));
  catalog->Add(FromSignature({.name = "add_months",
                              .usage = "add_months(start_date, num_months)",
                              .params = {date, number},
                              .result = date,
                              .kernel = AddMonthsTo}));
  catalog->Add(FromSignature({.name = "last_day",
                              .usage = "last_day(date)",
                              .params = {date},
                              .result = date,
                              .kernel = LastDay}));
  catalog->Add(FromSignature({.name = "next_day",
                              .usage = "next_day(start_date, day_of_week)",
                              .params = {date, arrow::utf8()},
                              .result = date,
                              .kernel = NextDay}));
  catalog->Add(FromSignature({.name = "months_between",
                              .usage = "months_between(timestamp1, timestamp2[, roundOff])",
                              .params = {TimestampType(), TimestampType(), arrow::boolean()},
                              .required = 2,
                              .result = arrow::float64(),
                              .kernel = MonthsBetweenKernel,
                              .is_total = true}));
  catalog->Add(OfUnits("timestampadd", "timestampadd(unit, count, timestamp)", BindTimestampAdd));
  catalog->Add(OfUnits("timestampdiff", "timestampdiff(unit, start, end)", BindTimestampDiff));
}

}  // namespace tidemill
