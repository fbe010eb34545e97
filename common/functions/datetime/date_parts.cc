#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/functions/text_writer.h"
#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/names.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

// The parts of dates, times of day and intervals.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;
using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

using DayPart = int64_t (*)(int64_t days);

int64_t YearOf(int64_t days) { return CivilFromDays(days).year; }
int64_t QuarterOf(int64_t days) { return (CivilFromDays(days).month + 2) / 3; }
int64_t MonthOf(int64_t days) { return CivilFromDays(days).month; }
int64_t DayOf(int64_t days) { return CivilFromDays(days).day; }
int64_t SundayBased(int64_t days) { return (DayOfWeek(days) + 1) % 7 + 1; }
int64_t MondayBased(int64_t days) { return DayOfWeek(days) + 1; }

Kernel DayPartKernel(DayPart part) {
  return [part](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]);
    return ComputeFixed<int32_t>(context, args, rows, arrow::int32(), [&](int64_t row) {
      return static_cast<int32_t>(part(int64_t{days[row]}));
    });
  };
}

// A part of a day as INT, for DATE and for anything cast to it.
FunctionInfo DatePart(const std::string& name, DayPart part) {
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(date)", name),
                        .params = {arrow::date32()},
                        .result = arrow::int32(),
                        .kernel = DayPartKernel(part),
                        .is_total = true});
}

// A name of a day, cut to three letters.
template <size_t N>
FunctionInfo DayName(const std::string& name, const std::array<std::string_view, N>& names,
                     DayPart index) {
  Kernel kernel = [names, index](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]);
    return ComputeText(context, args, rows, arrow::utf8(), rows * 3,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(out->Append(names[index(days[row]) - 1].substr(0, 3)));
                         return true;
                       });
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(date)", name),
                        .params = {arrow::date32()},
                        .result = arrow::utf8(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

// Microseconds since midnight in the session's zone, or of the wall clock as it is.
template <class T, class Part>
Kernel TimePartKernel(const TypePtr& source, const TypePtr& result, Part part) {
  return
      [=, has_zone = IsInstantType(*source)](const EvalContext& context, Args args, int64_t rows) {
        const FixedColumn<int64_t> micros(args[0]);
        const TimeZone& zone = has_zone ? ZoneOf(context) : *UtcTimeZone();
        return ComputeFixed<T>(context, args, rows, result, [&](int64_t row) {
          return static_cast<T>(part(FloorMod(LocalMicros(zone, micros[row]), kMicrosPerDay)));
        });
      };
}

arrow::Result<TypePtr> TimeSource(std::string_view name, std::span<const ExprPtr> args,
                                  size_t index) {
  const TypePtr& type = args[index]->type;
  if (type->id() == arrow::Type::TIMESTAMP) return type;
  if (!CanCastImplicitly(*type, *TimestampType())) {
    return UnexpectedInput(name, args, index, "\"TIMESTAMP\"");
  }
  return TimestampType();
}

FunctionInfo TimePart(const std::string& name, int64_t unit, int64_t count) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(timestamp)", name);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    ARROW_ASSIGN_OR_RAISE(TypePtr type, TimeSource(name, args, 0));
    return BoundFunction{
        {type}, arrow::int32(), TimePartKernel<int32_t>(type, arrow::int32(), [=](int64_t time) {
          return time / unit % count;
        })};
  };
  return info;
}

// The fields of extract(), by all their names.
enum class Part {
  kYear,
  kYearOfWeek,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,
  kDayOfWeekIso,
  kDayOfYear,
  kHour,
  kMinute,
  kSecond
};

struct PartName {
  std::string_view name;
  Part part;
};

constexpr auto kPartNames = std::to_array<PartName>({
    {"YEAR", Part::kYear},
    {"Y", Part::kYear},
    {"YEARS", Part::kYear},
    {"YR", Part::kYear},
    {"YRS", Part::kYear},
    {"YEAROFWEEK", Part::kYearOfWeek},
    {"QUARTER", Part::kQuarter},
    {"QTR", Part::kQuarter},
    {"MONTH", Part::kMonth},
    {"MON", Part::kMonth},
    {"MONS", Part::kMonth},
    {"MONTHS", Part::kMonth},
    {"WEEK", Part::kWeek},
    {"W", Part::kWeek},
    {"WEEKS", Part::kWeek},
    {"DAY", Part::kDay},
    {"D", Part::kDay},
    {"DAYS", Part::kDay},
    {"DAYOFWEEK", Part::kDayOfWeek},
    {"DOW", Part::kDayOfWeek},
    {"DAYOFWEEK_ISO", Part::kDayOfWeekIso},
    {"DOW_ISO", Part::kDayOfWeekIso},
    {"DOY", Part::kDayOfYear},
    {"HOUR", Part::kHour},
    {"H", Part::kHour},
    {"HOURS", Part::kHour},
    {"HR", Part::kHour},
    {"HRS", Part::kHour},
    {"MINUTE", Part::kMinute},
    {"M", Part::kMinute},
    {"MIN", Part::kMinute},
    {"MINS", Part::kMinute},
    {"MINUTES", Part::kMinute},
    {"SECOND", Part::kSecond},
    {"S", Part::kSecond},
    {"SEC", Part::kSecond},
    {"SECONDS", Part::kSecond},
    {"SECS", Part::kSecond},
});

DayPart DayPartOf(Part part) {
  constexpr DayPart kParts[] = {YearOf, YearOfWeek,  QuarterOf,   MonthOf,  WeekOfYear,
                                DayOf,  SundayBased, MondayBased, DayOfYear};
  return kParts[static_cast<int>(part)];
}

TypePtr SecondsType() { return arrow::decimal128(8, 6); }

BoundFunction DatetimePartOf(Part part, const TypePtr& source, const TypePtr& field) {
  const auto second = static_cast<int64_t>(kMicrosPerSecond);
  switch (part) {
    case Part::kHour:
      return {{field, source},
              arrow::int32(),
              TimePartKernel<int32_t>(source, arrow::int32(),
                                      [=](int64_t time) { return time / (3600 * second); })};
    case Part::kMinute:
      return {{field, source},
              arrow::int32(),
              TimePartKernel<int32_t>(source, arrow::int32(),
                                      [=](int64_t time) { return time / (60 * second) % 60; })};
    case Part::kSecond:
      return {{field, source},
              SecondsType(),
              TimePartKernel<Int128>(source, SecondsType(),
                                     [=](int64_t time) { return time % (60 * second); })};
    default:
      return {{field, arrow::date32()}, arrow::int32(), DayPartKernel(DayPartOf(part))};
  }
}

// `T` is the interval's value in its column.
template <class T, class R, class Value>
Kernel IntervalPartKernel(const TypePtr& result, Value value) {
  return [result, value](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<T> spans(args[0]);
    return ComputeFixed<R>(context, args, rows, result,
                           [&](int64_t row) { return static_cast<R>(value(spans[row])); });
  };
}

// The part of a time in microseconds, the hours within a day or not.
template <class T, class Micros>
BoundFunction TimeOfInterval(Part part, const TypePtr& type, Micros micros) {
  constexpr int64_t kHour = 3600 * kMicrosPerSecond, kMinute = 60 * kMicrosPerSecond;
  if (part == Part::kHour) {
    return {{arrow::utf8(), type},
            arrow::int8(),
            IntervalPartKernel<T, int8_t>(arrow::int8(), [=](const T& span) {
              return micros(span) % kMicrosPerDay / kHour;
            })};
  }
  if (part == Part::kMinute) {
    return {{arrow::utf8(), type},
            arrow::int8(),
            IntervalPartKernel<T, int8_t>(
                arrow::int8(), [=](const T& span) { return micros(span) % kHour / kMinute; })};
  }
  return {{arrow::utf8(), type},
          SecondsType(),
          IntervalPartKernel<T, Int128>(SecondsType(),
                                        [=](const T& span) { return micros(span) % kMinute; })};
}

bool IsTimePart(Part part) { return part >= Part::kHour; }

// No kernel where the interval has no such part.
BoundFunction IntervalPartOf(Part part, const TypePtr& type) {
  const TypePtr number = arrow::int32();
  const std::vector<TypePtr> types = {arrow::utf8(), type};
  if (IsYearMonthInterval(*type)) {
    if (part == Part::kYear) {
      return {types, number,
              IntervalPartKernel<int32_t, int32_t>(number, [](int32_t m) { return m / 12; })};
    }
    if (part != Part::kMonth) return {};
    return {types, arrow::int8(),
            IntervalPartKernel<int32_t, int8_t>(arrow::int8(), [](int32_t m) { return m % 12; })};
  }
  if (IsDayTimeInterval(*type)) {
    const int64_t unit = IsDayInterval(*type) ? kMicrosPerSecond : 1;
    if (part == Part::kDay) {
      return {types, number, IntervalPartKernel<int64_t, int32_t>(number, [=](int64_t span) {
                return span / (kMicrosPerDay / unit);
              })};
    }
    if (!IsTimePart(part)) return {};
    return TimeOfInterval<int64_t>(part, type, [=](int64_t span) { return span * unit; });
  }
  auto of_parts = [&](auto value, const TypePtr& result) {
    return BoundFunction{types, result, IntervalPartKernel<MonthDayNanos, int32_t>(result, value)};
  };
  if (part == Part::kYear)
    return of_parts([](const MonthDayNanos& s) { return s.months / 12; }, number);
  if (part == Part::kDay) return of_parts([](const MonthDayNanos& s) { return s.days; }, number);
  if (part == Part::kMonth) {
    return {types, arrow::int8(),
            IntervalPartKernel<MonthDayNanos, int8_t>(
                arrow::int8(), [](const MonthDayNanos& s) { return s.months % 12; })};
  }
  if (!IsTimePart(part)) return {};
  return TimeOfInterval<MonthDayNanos>(
      part, type, [](const MonthDayNanos& s) { return s.nanoseconds / kNanosPerMicro; });
}

// The kernels read the source as their only argument.
Kernel OverSource(Kernel kernel) {
  return [kernel = std::move(kernel)](const EvalContext& context, Args args, int64_t rows) {
    return kernel(context, args.subspan(1), rows);
  };
}

arrow::Result<BoundFunction> BindExtract(std::string_view name, std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount(name, fmt::format("{}(field, source)", name), args.size(), 2, 2));
  std::string field;
  if (StringLiteralOf(*args[0], &field) == nullptr) {
    return MakeError(
        ErrorKind::kInvalid, "NON_FOLDABLE_ARGUMENT",
        fmt::format("The function `{}` requires the parameter `field` to be a foldable "
                    "expression of the type \"STRING\", but the actual argument is a "
                    "non-foldable.",
                    name));
  }
  field = UpperCase(field);
  const auto found = std::find_if(kPartNames.begin(), kPartNames.end(),
                                  [&](const PartName& known) { return known.name == field; });
  const arrow::Status unknown =
      MakeError(ErrorKind::kInvalid, "INVALID_EXTRACT_FIELD",
                fmt::format("Cannot extract `{}` from \"{}\".", field, ExprText(*args[1])));
  if (found == kPartNames.end()) return unknown;
  BoundFunction bound;
  if (IsIntervalType(*args[1]->type)) {
    bound = IntervalPartOf(found->part, args[1]->type);
    if (!bound.kernel) return unknown;
  } else {
    ARROW_ASSIGN_OR_RAISE(const TypePtr source, TimeSource(name, args, 1));
    bound = DatetimePartOf(found->part, source, args[0]->type);
  }
  bound.kernel = OverSource(std::move(bound.kernel));
  return bound;
}

FunctionInfo Extract(const std::string& name, const std::string& usage) {
  FunctionInfo info;
  info.name = name;
  info.usage = usage;
  info.is_total = true;
  info.bind = [name](std::span<const ExprPtr> args) { return BindExtract(name, args); };
  return info;
}

}  // namespace

void AddDatePartFunctions(FunctionCatalog* catalog) {
  catalog->Add(DatePart("year", YearOf));
  catalog->Add(DatePart("quarter", QuarterOf));
  catalog->Add(DatePart("month", MonthOf));
  catalog->Add(DatePart("day", DayOf));
  catalog->Add(DatePart("dayofmonth", DayOf));
  catalog->Add(DatePart("dayofweek", SundayBased));
  catalog->Add(DatePart("weekday", DayOfWeek));
  catalog->Add(DatePart("dayofyear", DayOfYear));
  catalog->Add(DatePart("weekofyear", WeekOfYear));
  catalog->Add(DayName("dayname", kDayNames, MondayBased));
  catalog->Add(DayName("monthname", kMonthNames, MonthOf));
  catalog->Add(TimePart("hour", 3600 * kMicrosPerSecond, 24));
  catalog->Add(TimePart("minute", 60 * kMicrosPerSecond, 60));
  catalog->Add(TimePart("second", kMicrosPerSecond, 60));
  catalog->Add(Extract("extract", "extract(field FROM source)"));
  catalog->Add(Extract("date_part", "date_part(field, source)"));
  catalog->Add(Extract("datepart", "datepart(field, source)"));
}

}  // namespace tidemill
