#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill {

// A loaded time zone: "UTC", "Europe/Berlin", "+02:00", "GMT+3". Its rules hold for all time: from
// local mean time before the first standard time to the rule that is in force now. *Immutable.*
class TimeZone;

// Finds a zone by Spark's names: a region of the machine's tz database ($TZDIR, else the usual
// place), "Z", "UTC", "GMT", "UT", an offset (+h, +hh, +hh:mm, +hhmm, +hh:mm:ss; up to 18 hours),
// one of UTC, GMT, UT and an offset, or Java's short names (PST, CET, ...). Regions are loaded once
// per process. Errors: INVALID_TIMEZONE (kInvalid). *Thread-safe.*
arrow::Result<std::shared_ptr<const TimeZone>> FindTimeZone(std::string_view name);
// The zone UTC, which needs no tz database.
const std::shared_ptr<const TimeZone>& UtcTimeZone();

// The name that the zone was found by.
const std::string& TimeZoneName(const TimeZone& zone);
// Seconds east of UTC at an instant.
int32_t UtcOffsetSeconds(const TimeZone& zone, int64_t micros_utc);
// Local wall-clock microseconds to an instant; a gap or an overlap is resolved as java.time does
// (gap: later by its length; overlap: the earlier offset).
int64_t LocalToUtcMicros(const TimeZone& zone, int64_t local_micros);
// The offset that LocalToUtcMicros takes off.
int32_t LocalOffsetSeconds(const TimeZone& zone, int64_t local_seconds);

// The seconds of an offset as FindTimeZone takes them: "Z", "+02:00", "GMT+3". Nothing for other
// names.
std::optional<int32_t> ParseZoneOffset(std::string_view name);

}  // namespace tidemill
