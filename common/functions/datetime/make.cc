#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/functions/datetime/interval_arithmetic.h"
#include "common/functions/decimal.h"
#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/names.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

// Dates, timestamps and intervals from their parts.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;
using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;

arrow::Status OutOfBounds(std::string_view range) {
  return MakeError(ErrorKind::kJobFailed, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION",
                   fmt::format("{}.", range));
}

// Days since 1970; what is wrong with the parts, in Java's words, where they make no date.
std::optional<std::string> ToDays(int64_t year, int64_t month, int64_t day, int64_t* days) {
  if (month < 1 || month > 12) {
    return fmt::format("Invalid value for MonthOfYear (valid values 1 - 12): {}", month);
  }
  if (day < 1 || day > 31) {
    return fmt::format("Invalid value for DayOfMonth (valid values 1 - 28/31): {}", day);
  }
  if (day > DaysInMonth(year, static_cast<int>(month))) {
    const std::string name = UpperCase(kMonthNames[month - 1]);
    if (month == 2 && day == 29) {
      return fmt::format("Invalid date 'February 29' as '{}' is not a leap year", year);
    }
    return fmt::format("Invalid date '{} {}'", name, day);
  }
  *days = DaysFromCivil({year, static_cast<int>(month), static_cast<int>(day)});
  return std::nullopt;
}

arrow::Result<arrow::Datum> MakeDate(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> years(args[0]), months(args[1]), day(args[2]);
  return ComputeFixedChecked<int32_t>(
      context, args, rows, arrow::date32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        int64_t days = 0;
        const auto error = ToDays(years[row], months[row], day[row], &days);
        if (error) return OutOfBounds(*error);
        *out = static_cast<int32_t>(days);
        if (*out == days) return true;
        return ArithmeticOverflow("integer overflow", "");
      });
}

arrow::Status InvalidFraction(int64_t micros) {
  return MakeError(ErrorKind::kJobFailed, "INVALID_FRACTION_OF_SECOND",
                   fmt::format("Valid range for seconds is [0, 60] (inclusive), but the provided "
                               "value is {}. To avoid this error, use `try_make_timestamp`, which "
                               "returns NULL on error.",
                               DecimalText(micros, 6)));
}

struct TimestampRule {
  TypePtr type;
  bool is_try = false;
};

// The wall clock of year, month, day, hour, minute and seconds with six digits behind the point.
std::optional<std::string> ToLocalMicros(const std::array<int64_t, 6>& parts, int64_t* micros) {
  int64_t days = 0;
  if (auto error = ToDays(parts[0], parts[1], parts[2], &days)) return error;
  if (parts[3] < 0 || parts[3] > 23) {
    return fmt::format("Invalid value for HourOfDay (valid values 0 - 23): {}", parts[3]);
  }
  if (parts[4] < 0 || parts[4] > 59) {
    return fmt::format("Invalid value for MinuteOfHour (valid values 0 - 59): {}", parts[4]);
  }
  // 60 whole seconds are the next minute, as in PostgreSQL.
  if (parts[5] < 0 || parts[5] >= kMicrosPerMinute + kMicrosPerSecond) {
    return fmt::format("Invalid value for SecondOfMinute (valid values 0 - 59): {}",
                       parts[5] / kMicrosPerSecond);
  }
  const int64_t time = parts[3] * kMicrosPerHour + parts[4] * kMicrosPerMinute + parts[5];
  if (__builtin_mul_overflow(days, kMicrosPerDay, micros) ||
      __builtin_add_overflow(*micros, time, micros)) {
    return "The timestamp is out of range";
  }
  return std::nullopt;
}

Kernel MakeTimestamp(const TimestampRule& rule) {
  return [rule](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> years(args[0]), months(args[1]), days(args[2]), hours(args[3]),
        minutes(args[4]);
    const FixedColumn<Int128> seconds(args[5]);
    const bool is_instant = IsInstantType(*rule.type);
    const arrow::Datum no_zone{std::string()};
    const TextColumn zones(args.size() == 7 ? args[6] : no_zone);
    const TimeZone& session = ZoneOf(context);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.type, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          const auto error = ToLocalMicros({years[row], months[row], days[row], hours[row],
                                            minutes[row], static_cast<int64_t>(seconds[row])},
                                           out);
          const auto micros = static_cast<int64_t>(seconds[row]);
          const bool is_too_late = !error && micros > kMicrosPerMinute;
          if ((error || is_too_late) && rule.is_try) return false;
          if (error) return OutOfBounds(*error);
          if (is_too_late) return InvalidFraction(micros);
          if (!is_instant) return true;
          if (args.size() < 7) {
            *out = LocalToUtcMicros(session, *out);
            return true;
          }
          auto zone = FindTimeZone(zones[row]);
          if (!zone.ok()) {
            return MakeError(ErrorKind::kJobFailed, ErrorClassOf(zone.status()),
                             zone.status().message());
          }
          *out = LocalToUtcMicros(**zone, *out);
          return true;
        });
  };
}

FunctionInfo TimestampMaker(const std::string& name, const TypePtr& type, bool is_try) {
  const TypePtr number = arrow::int32();
  const bool takes_zone = IsInstantType(*type);
  std::vector<TypePtr> params = {number, number, number, number, number, arrow::decimal128(16, 6)};
  if (takes_zone) params.push_back(arrow::utf8());
  FunctionInfo info = FromSignature({.name = name,
                                     .usage = fmt::format("{}(year, month, day, hour, min, sec{})",
                                                          name, takes_zone ? "[, timezone]" : ""),
                                     .params = std::move(params),
                                     .required = 6,
                                     .result = type,
                                     .kernel = MakeTimestamp({type, is_try})});
  const bool takes_date = name.ends_with("make_timestamp");
  info.bind = [bind = info.bind, takes_date,
               name](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() != 1 || !takes_date) return bind(args);
    // The midnight of a date.
    const auto id = args[0]->type->id();
    if (id != arrow::Type::DATE32 && id != arrow::Type::NA) {
      return UnexpectedInput(name, args, 0, "\"DATE\"");
    }
    ARROW_ASSIGN_OR_RAISE(Kernel kernel,
                          MakeCastKernel(arrow::date32(), TimestampType(), /*is_try=*/false));
    return BoundFunction{{arrow::date32()}, TimestampType(), std::move(kernel)};
  };
  return InZone(std::move(info));
}

// The value of an optional part: 0 where it is not given.
template <class T>
class PartColumn {
 public:
  PartColumn(Args args, size_t index)
      : column_(index < args.size() ? args[index]
                                    : arrow::Datum(arrow::MakeNullScalar(TypeFor()))) {}
  int64_t operator[](int64_t row) const { return static_cast<int64_t>(column_[row]); }

 private:
  static TypePtr TypeFor() { return sizeof(T) == 4 ? arrow::int32() : arrow::decimal128(18, 6); }
  FixedColumn<T> column_;
};

// A sum that remembers whether it still fits.
class CheckedSum {
 public:
  void Add(int64_t count, int64_t unit) {
    int64_t product = 0;
    fits_ = fits_ && !__builtin_mul_overflow(count, unit, &product) &&
            !__builtin_add_overflow(sum_, product, &sum_);
  }
  bool fits() const { return fits_; }
  bool fits_int() const { return fits_ && sum_ == static_cast<int32_t>(sum_); }
  int64_t value() const { return sum_; }

 private:
  int64_t sum_ = 0;
  bool fits_ = true;
};

Kernel MakeInterval(bool is_try) {
  return [is_try](const EvalContext& context, Args args, int64_t rows) {
    const PartColumn<int32_t> years(args, 0), months(args, 1), weeks(args, 2), days(args, 3),
        hours(args, 4), minutes(args, 5);
    const PartColumn<Int128> seconds(args, 6);
    return ComputeFixedChecked<MonthDayNanos>(
        context, args, rows, CalendarIntervalType(),
        [&](int64_t row, MonthDayNanos* out) -> arrow::Result<bool> {
          CheckedSum month, day, micros;
          month.Add(years[row], 12);
          month.Add(months[row], 1);
          day.Add(weeks[row], 7);
          day.Add(days[row], 1);
          micros.Add(hours[row], kMicrosPerHour);
          micros.Add(minutes[row], kMicrosPerMinute);
          micros.Add(seconds[row], 1);
          if (month.fits_int() && day.fits_int() && micros.fits() &&
              !__builtin_mul_overflow(micros.value(), kNanosPerMicro, &out->nanoseconds)) {
            out->months = static_cast<int32_t>(month.value());
            out->days = static_cast<int32_t>(day.value());
            return true;
          }
          if (is_try) return false;
          return ArithmeticOverflow("overflow", "");
        });
  };
}

arrow::Result<arrow::Datum> MakeDayTimeInterval(const EvalContext& context, Args args,
                                                int64_t rows) {
  const PartColumn<int32_t> days(args, 0), hours(args, 1), minutes(args, 2);
  const PartColumn<Int128> seconds(args, 3);
  return ComputeFixedChecked<int64_t>(context, args, rows, DayTimeIntervalType(),
                                      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                        CheckedSum micros;
                                        micros.Add(days[row], kMicrosPerDay);
                                        micros.Add(hours[row], kMicrosPerHour);
                                        micros.Add(minutes[row], kMicrosPerMinute);
                                        micros.Add(seconds[row], 1);
                                        *out = micros.value();
                                        if (micros.fits()) return true;
                                        return IntervalOverflow("");
                                      });
}

arrow::Result<arrow::Datum> MakeYearMonthInterval(const EvalContext& context, Args args,
                                                  int64_t rows) {
  const PartColumn<int32_t> years(args, 0), months(args, 1);
  return ComputeFixedChecked<int32_t>(context, args, rows, YearMonthIntervalType(),
                                      [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
                                        CheckedSum month;
                                        month.Add(years[row], 12);
                                        month.Add(months[row], 1);
                                        *out = static_cast<int32_t>(month.value());
                                        if (month.fits_int()) return true;
                                        return IntervalOverflow("");
                                      });
}

FunctionInfo IntervalMaker(const std::string& name, bool is_try) {
  const TypePtr number = arrow::int32();
  return FromSignature(
      {.name = name,
       .usage =
           fmt::format("{}([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])", name),
       .params = {number, number, number, number, number, number, arrow::decimal128(18, 6)},
       .required = 0,
       .result = CalendarIntervalType(),
       .kernel = MakeInterval(is_try)});
}

}  // namespace

void AddMakeDatetimeFunctions(FunctionCatalog* catalog) {
  const TypePtr number = arrow::int32();
  catalog->Add(FromSignature({.name = "make_date",
                              .usage = "make_date(year, month, day)",
                              .params = {number, number, number},
                              .result = arrow::date32(),
                              .kernel = MakeDate}));
  for (const bool is_try : {false, true}) {
    const std::string prefix = is_try ? "try_" : "";
    catalog->Add(TimestampMaker(prefix + "make_timestamp", TimestampType(), is_try));
    catalog->Add(TimestampMaker(prefix + "make_timestamp_ltz", TimestampType(), is_try));
    catalog->Add(TimestampMaker(prefix + "make_timestamp_ntz", TimestampNtzType(), is_try));
    catalog->Add(IntervalMaker(prefix + "make_interval", is_try));
  }
  catalog->Add(FromSignature({.name = "make_dt_interval",
                              .usage = "make_dt_interval([days[, hours[, mins[, secs]]]])",
                              .params = {number, number, number, arrow::decimal128(18, 6)},
                              .required = 0,
                              .result = DayTimeIntervalType(),
                              .kernel = MakeDayTimeInterval}));
  catalog->Add(FromSignature({.name = "make_ym_interval",
                              .usage = "make_ym_interval([years[, months]])",
                              .params = {number, number},
                              .required = 0,
                              .result = YearMonthIntervalType(),
                              .kernel = MakeYearMonthInterval}));
}

}  // namespace tidemill
