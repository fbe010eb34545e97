#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill {

// A span of time as Spark's INTERVAL: months and days are counted apart, since neither has a fixed
// length. *Plain data.*
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t microseconds = 0;

  bool operator==(const Interval&) const = default;
};

// Parses Spark's interval texts, which window durations and watermark delays use too: "10 minutes",
// "1 hour 30 minutes", "interval -1 day", "1.5 seconds". Case and the plural are free; the units
// are year, month, week, day, hour, minute, second, millisecond, microsecond; only seconds have a
// fraction (nine digits, cut to microseconds). Errors: INVALID_INTERVAL_FORMAT.* (kInvalid).
// *Thread-safe.*
arrow::Result<Interval> ParseInterval(std::string_view text);

// The interval types. Values are months for INTERVAL YEAR TO MONTH, microseconds for INTERVAL DAY
// TO SECOND, seconds (of whole days) for INTERVAL DAY, and the three parts for INTERVAL, which
// cannot be compared.
std::shared_ptr<arrow::DataType> YearMonthIntervalType();  // month_interval
std::shared_ptr<arrow::DataType> DayTimeIntervalType();    // duration[us]
std::shared_ptr<arrow::DataType> DayIntervalType();        // duration[s]
std::shared_ptr<arrow::DataType> CalendarIntervalType();   // month_day_nano_interval
bool IsYearMonthInterval(const arrow::DataType& type);
bool IsDayTimeInterval(const arrow::DataType& type);  // INTERVAL DAY too
bool IsDayInterval(const arrow::DataType& type);
bool IsCalendarInterval(const arrow::DataType& type);
bool IsIntervalType(const arrow::DataType& type);  // any of them
inline constexpr int64_t kNanosPerMicro = 1000;    // of month_day_nano_interval

// The fields that an interval literal names: DAY TO SECOND. *Plain data.*
enum class IntervalField { kYear, kMonth, kDay, kHour, kMinute, kSecond };
struct IntervalRange {
  IntervalField first = IntervalField::kDay;
  IntervalField last = IntervalField::kSecond;

  bool is_year_month() const { return first <= IntervalField::kMonth; }
  bool operator==(const IntervalRange&) const = default;
};
inline constexpr IntervalRange kYearToMonth = {IntervalField::kYear, IntervalField::kMonth};
inline constexpr IntervalRange kDayToSecond = {IntervalField::kDay, IntervalField::kSecond};
inline constexpr IntervalRange kDayOnly = {IntervalField::kDay, IntervalField::kDay};
std::string_view IntervalFieldName(IntervalField field);  // "DAY"
std::string IntervalRangeName(IntervalRange range);       // "DAY TO SECOND", "DAY"

// Reads "1 02:03:04.5" as the range says, with an optional sign: months for a year-month range,
// else microseconds. Nothing where the text has another form or a field is out of range.
std::optional<int64_t> ParseIntervalFields(std::string_view text, IntervalRange range);
// As CAST from STRING: the fields alone, or "INTERVAL '1-2' YEAR TO MONTH".
std::optional<int64_t> ParseIntervalValue(std::string_view text, IntervalRange range);

// What follows INTERVAL in SQL: "10 MINUTES", "'1-2' YEAR TO MONTH", "1 DAY 2 HOURS", "'1 day'";
// `value` counts months for a year-month range, else microseconds. Errors:
// INVALID_INTERVAL_FORMAT.*.
struct IntervalLiteral {
  IntervalRange range;
  int64_t value = 0;
};
arrow::Result<IntervalLiteral> ParseIntervalLiteral(std::string_view text);

// "INTERVAL '1 02:03:04.5' DAY TO SECOND" of months or microseconds.
void AppendIntervalText(int64_t value, IntervalRange range, std::string* out);
// "1 years 2 months 3 days 4 hours 5.5 seconds", "0 seconds".
void AppendCalendarIntervalText(const Interval& value, std::string* out);

}  // namespace tidemill
