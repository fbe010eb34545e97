#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <string_view>

#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/interval/interval.h"
#include "common/types/time_zone.h"

namespace tidemill {

// Text of CSV fields to values, as Spark's CSV source converts them: by Java's parsers, which take
// less than a CAST does (no blanks around, no "yes"). Each returns false where the text does not
// suit. Pure functions. *Thread-safe.*

bool CsvInteger(std::string_view text, int64_t* out);
// Without the names of NaN and the infinities that are options.
bool CsvDouble(std::string_view text, double* out);
bool CsvFloat(std::string_view text, float* out);
bool CsvBoolean(std::string_view text, bool* out);
// With `,` between digits, as Spark's parser of the US locale takes them.
bool CsvDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out);
// With a pattern the text is what it says, else what a CAST takes.
bool CsvDate(std::string_view text, const DatetimePattern* pattern, int32_t* days);
bool CsvTimestamp(std::string_view text, const DatetimePattern* pattern, const TimeZone& zone,
                  int64_t* micros);
// Without a pattern a zone in the text is refused.
bool CsvTimestampNtz(std::string_view text, const DatetimePattern* pattern, int64_t* micros);
// The fields alone, or an INTERVAL literal: months or microseconds.
template <class T>
bool CsvInterval(std::string_view text, IntervalRange range, T* out) {
  const auto value = ParseIntervalValue(text, range);
  if (value) *out = static_cast<T>(*value);
  return value.has_value();
}
bool CsvCalendarInterval(std::string_view text,
                         arrow::MonthDayNanoIntervalType::MonthDayNanos* out);

}  // namespace tidemill
