#pragma once

#include <cstdint>

#include "common/types/time_zone.h"

namespace tidemill {

// The calendar in a time zone. Days count from 1970-01-01, microseconds are instants (UTC) unless
// they say local. Pure functions.

// Wall-clock microseconds at an instant.
int64_t LocalMicros(const TimeZone& zone, int64_t micros_utc);

int64_t DayOfWeek(int64_t days);   // 0 is Monday
int64_t DayOfYear(int64_t days);   // from 1
int64_t WeekOfYear(int64_t days);  // ISO 8601
int64_t YearOfWeek(int64_t days);  // the year that the ISO week belongs to

// The same day of a later or earlier month, or its last day where it is shorter.
int64_t AddMonths(int64_t days, int64_t months);

// A span added to an instant as java.time does in the zone: months and days move the wall clock,
// microseconds the instant. False where the result is out of range.
struct Interval;
bool AddInterval(const TimeZone& zone, const Interval& span, int64_t* micros);

}  // namespace tidemill
