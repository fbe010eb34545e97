#pragma once

#include <cstdint>
#include <string>

namespace tidemill {

// "2026-01-31" + `separator` + "12:00:00", of local seconds since 1970-01-01. Years as java.time
// prints them: four digits at least, a sign before the year 0 and after 9999.
void AppendDateTimeText(int64_t local_seconds, char separator, std::string* out);

// "Z", "+02:00", or "+00:53:28" for a local mean time.
void AppendOffsetText(int32_t offset_seconds, std::string* out);

// Exactly `count` digits of `value`, zeros in front.
void AppendPadded(uint32_t value, int count, std::string* out);

}  // namespace tidemill
