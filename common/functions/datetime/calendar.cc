#include "common/functions/datetime/calendar.h"

#include <algorithm>

#include "common/types/civil_time.h"
#include "common/types/interval/interval.h"

namespace tidemill {

int64_t LocalMicros(const TimeZone& zone, int64_t micros_utc) {
  return micros_utc + UtcOffsetSeconds(zone, micros_utc) * kMicrosPerSecond;
}

// 1970-01-01 was a Thursday.
int64_t DayOfWeek(int64_t days) { return FloorMod(days + 3, 7); }

int64_t DayOfYear(int64_t days) {
  return days - DaysFromCivil({CivilFromDays(days).year, 1, 1}) + 1;
}

// The week of a year's first Thursday is its week 1.
int64_t WeekOfYear(int64_t days) {
  const int64_t thursday = days - DayOfWeek(days) + 3;
  return (DayOfYear(thursday) - 1) / 7 + 1;
}

int64_t YearOfWeek(int64_t days) { return CivilFromDays(days - DayOfWeek(days) + 3).year; }

int64_t AddMonths(int64_t days, int64_t months) {
  const CivilDate date = CivilFromDays(days);
  const int64_t total = date.year * 12 + (date.month - 1) + months;
  const int64_t year = FloorDiv(total, 12);
  const int month = static_cast<int>(FloorMod(total, 12)) + 1;
  return DaysFromCivil({year, month, std::min(date.day, DaysInMonth(year, month))});
}

bool AddInterval(const TimeZone& zone, const Interval& span, int64_t* micros) {
  int64_t instant = *micros;
  if (span.months != 0 || span.days != 0) {
    const int32_t offset = UtcOffsetSeconds(zone, instant);
    const int64_t local = instant + offset * kMicrosPerSecond;
    int64_t days = FloorDiv(local, kMicrosPerDay);
    const int64_t time = local - days * kMicrosPerDay;
    days = AddMonths(days, span.months) + span.days;
    int64_t moved = 0;
    if (__builtin_mul_overflow(days, kMicrosPerDay, &moved) ||
        __builtin_add_overflow(moved, time, &moved)) {
      return false;
    }
    // In an overlap the offset stays what it was.
    const int64_t kept = moved - offset * kMicrosPerSecond;
    instant = UtcOffsetSeconds(zone, kept) == offset ? kept : LocalToUtcMicros(zone, moved);
  }
  return !__builtin_add_overflow(instant, span.microseconds, micros);
}

}  // namespace tidemill
