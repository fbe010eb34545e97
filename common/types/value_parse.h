#pragma once

#include <cstdint>
#include <string_view>

#include "common/types/value_format.h"

namespace tidemill {

// Text to values as Spark's CAST from STRING does (leading and trailing white space is trimmed).
// Each returns false where Spark's try_cast gives NULL. Pure functions without allocation.
bool ParseInt64(std::string_view text,
                int64_t* out);  // also accepts "12." and "12.9"? as Spark: no; digits only
bool ParseDouble(std::string_view text,
                 double* out);  // "1e3", "NaN", "Infinity", "-inf", trailing d/f
bool ParseBoolean(std::string_view text, bool* out);  // t true y yes 1 / f false n no 0
bool ParseDate(std::string_view text,
               int32_t* days);  // [+-]yyyy*, yyyy-[m]m, yyyy-[m]m-[d]d, followed by T or blank
bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* micros);
bool ParseTimestampNtz(std::string_view text, int64_t* micros);

}  // namespace tidemill
