#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;
using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

IntervalRange RangeOf(const arrow::DataType& type) {
  if (IsYearMonthInterval(type)) return kYearToMonth;
  return IsDayInterval(type) ? kDayOnly : kDayToSecond;
}

arrow::Status Unmatched(std::string_view text, IntervalRange range) {
  const std::string_view form = range.is_year_month() ? "[+|-]y-m"
                                : range == kDayOnly   ? "[+|-]d"
                                                      : "[+|-]d h:m:s.n";
  std::string name = IntervalRangeName(range);
  const std::string quoted = fmt::format("`{}`, `INTERVAL [+|-]'{}' {}`", form, form, name);
  for (char& c : name) c = c == ' ' ? ' ' : static_cast<char>(c | 0x20);
  const bool has_notice = !range.is_year_month();
  return MakeError(
      ErrorKind::kJobFailed,
      has_notice ? "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"
                 : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
      fmt::format("Error parsing '{}' to interval. Please ensure that the value provided is in a "
                  "valid format for defining an interval. You can reference the documentation for "
                  "the correct format. Interval string does not match {} format of {} when cast to "
                  "interval {}: {}.",
                  text, range.is_year_month() ? "year-month" : "day-time", quoted, name, text));
}

// `Unit` is the microseconds that a stored value counts, 1 for months.
template <class T>
Kernel ParseFields(const CastRule& rule, int64_t unit) {
  return
      [rule, unit, range = RangeOf(*rule.to)](const EvalContext& context, Args args, int64_t rows) {
        const TextColumn texts(args[0]);
        return ComputeFixedChecked<T>(context, args, rows, rule.to,
                                      [&](int64_t row, T* out) -> arrow::Result<bool> {
                                        const auto value = ParseIntervalValue(texts[row], range);
                                        if (value) *out = static_cast<T>(*value / unit);
                                        if (value || rule.is_try) return value.has_value();
                                        return Unmatched(texts[row], range);
                                      });
      };
}

// CAST to INTERVAL gives NULL for a malformed text, in ANSI mode too.
Kernel ParseCalendar(const CastRule& rule) {
  return [rule](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn texts(args[0]);
    return ComputeFixedChecked<MonthDayNanos>(
        context, args, rows, rule.to, [&](int64_t row, MonthDayNanos* out) -> arrow::Result<bool> {
          const auto value = ParseInterval(texts[row]);
          if (!value.ok()) return false;
          out->months = value->months;
          out->days = value->days;
          return !__builtin_mul_overflow(value->microseconds, kNanosPerMicro, &out->nanoseconds);
        });
  };
}

// Between the two day-time types, which count seconds and microseconds.
Kernel Rescale(const CastRule& rule) {
  const bool to_day = IsDayInterval(*rule.to);
  return [rule, to_day](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> values(args[0]);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.to, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          if (to_day) {
            *out = values[row] / kMicrosPerDay * kSecondsPerDay;
            return true;
          }
          if (!__builtin_mul_overflow(values[row], kMicrosPerSecond, out)) return true;
          if (rule.is_try) return false;
          return CastOverflow(std::to_string(values[row]), *rule.from, *rule.to);
        });
  };
}

// The number that an interval is in a cast: months, days, or seconds with a fraction as DECIMAL.
arrow::Result<Kernel> ToNumber(const CastRule& rule) {
  const bool is_month = IsYearMonthInterval(*rule.from);
  const bool is_day = IsDayInterval(*rule.from);
  const bool is_decimal = IsDecimalType(*rule.to);
  const TypePtr middle = is_decimal ? arrow::decimal128(20, 6) : arrow::int64();
  ARROW_ASSIGN_OR_RAISE(Kernel finish, MakeCastKernel(middle, rule.to, rule.is_try));
  return Kernel([=](const EvalContext& context, Args args,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    auto whole = [&](auto read) -> arrow::Result<arrow::Datum> {
      if (!is_decimal) {
        return ComputeFixed<int64_t>(context, args, rows, middle,
                                     [&](int64_t row) { return read(row) / kMicrosPerSecond; });
      }
      return ComputeFixed<Int128>(context, args, rows, middle, read);
    };
    arrow::Datum number;
    if (is_month) {
      const FixedColumn<int32_t> months(args[0]);
      ARROW_ASSIGN_OR_RAISE(
          number, whole([&](int64_t row) { return Int128{months[row]} * kMicrosPerSecond; }));
    } else {
      const FixedColumn<int64_t> values(args[0]);
      ARROW_ASSIGN_OR_RAISE(number, whole([&](int64_t row) {
                              return is_day
                                         ? Int128{values[row] / kSecondsPerDay} * kMicrosPerSecond
                                         : Int128{values[row]};
                            }));
    }
    return finish(context, std::span(&number, 1), rows);
  });
}

arrow::Result<Kernel> FromNumber(const CastRule& rule) {
  const bool is_month = IsYearMonthInterval(*rule.to);
  const bool is_day = IsDayInterval(*rule.to);
  const TypePtr middle = arrow::decimal128(38, 6);
  ARROW_ASSIGN_OR_RAISE(Kernel widen, MakeCastKernel(rule.from, middle, rule.is_try));
  return Kernel([=](const EvalContext& context, Args args,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum wide, widen(context, args, rows));
    const FixedColumn<Int128> micros(wide);
    auto fit = [&](Int128 value, auto* out) -> arrow::Result<bool> {
      *out = static_cast<std::remove_pointer_t<decltype(out)>>(value);
      if (*out == value) return true;
      if (rule.is_try) return false;
      return CastOverflow(DecimalText(value, 0), *rule.from, *rule.to);
    };
    const std::span<const arrow::Datum> input(&wide, 1);
    if (is_month) {
      return ComputeFixedChecked<int32_t>(
          context, input, rows, rule.to,
          [&](int64_t row, int32_t* out) { return fit(micros[row] / kMicrosPerSecond, out); });
    }
    return ComputeFixedChecked<int64_t>(
        context, input, rows, rule.to, [&](int64_t row, int64_t* out) {
          return fit(is_day ? micros[row] / kMicrosPerSecond * kSecondsPerDay : micros[row], out);
        });
  });
}

}  // namespace

arrow::Result<Kernel> ParseIntervals(const CastRule& rule) {
  if (IsCalendarInterval(*rule.to)) return ParseCalendar(rule);
  if (IsYearMonthInterval(*rule.to)) return ParseFields<int32_t>(rule, 1);
  return ParseFields<int64_t>(rule, IsDayInterval(*rule.to) ? kMicrosPerSecond : 1);
}

arrow::Result<Kernel> CastInterval(const CastRule& rule) {
  if (!IsIntervalType(*rule.from)) return FromNumber(rule);
  if (!IsIntervalType(*rule.to)) return ToNumber(rule);
  return Rescale(rule);
}

}  // namespace tidemill
