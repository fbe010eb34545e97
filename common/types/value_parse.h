#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string_view>

#include "common/types/time_zone.h"
#include "common/types/value_format.h"

namespace tidemill {

// Text to values as Spark's CAST from STRING does in ANSI mode (leading and trailing white space
// and control characters are trimmed). Each returns false where Spark's try_cast gives NULL, and
// leaves the output alone then. Pure functions without allocation. *Thread-safe.*

// An optional sign and digits: "12.5" and "1e3" are refused, as ANSI mode does. For narrower types
// check the range of the result.
bool ParseInt64(std::string_view text, int64_t* out);
// "1e3", "NaN", "Infinity", "-inf", a trailing d or f; too large is infinite, too small 0.
bool ParseDouble(std::string_view text, double* out);
// [-]digits[.digits] where both the digits and the power of ten are exact doubles, so that one
// division rounds correctly: nearly all numbers, whatever the rules of a format. False for any
// other text, number or not.
bool ParsePlainDouble(std::string_view text, double* out);
// As ParseDouble, rounded once to float.
bool ParseFloat(std::string_view text, float* out);
// The unscaled value of a DECIMAL(precision, scale), rounded half up; false when it does not fit.
bool ParseDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out);
bool ParseBoolean(std::string_view text, bool* out);  // t true y yes 1 / f false n no 0
// [+-]yyyy, yyyy-[m]m, yyyy-[m]m-[d]d; only the last may be followed by T or a blank and anything.
bool ParseDate(std::string_view text, int32_t* days);
// A date as above, then T or blank and [h]h[:[m]m[:[s]s[.fraction][zone]]]; fraction digits after
// the sixth are cut. `zone` holds where the text names none. Text with a time alone, which Spark
// puts on the current day, is refused: the result would depend on the clock.
bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* micros);
// The same, as wall-clock time; a zone in the text must be valid and is ignored.
bool ParseTimestampNtz(std::string_view text, int64_t* micros);

}  // namespace tidemill
