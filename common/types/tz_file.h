#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tidemill {

// The history and the future of a zone's offset. *Plain data.*
struct ZoneRules {
  struct Transition {
    int64_t at = 0;      // seconds since the epoch, UTC
    int32_t offset = 0;  // seconds east of UTC from then on
  };

  int32_t first_offset = 0;             // before the first transition
  std::vector<Transition> transitions;  // ascending; each changes the offset
  // Where a yearly rule holds for ever: from here on the last 400 years of `transitions` repeat.
  std::optional<int64_t> repeat_from;
};

// Reads a compiled tz database file (TZif version 2 or later, RFC 8536). The rule in its footer is
// written out for 400 years, the period of the Gregorian calendar. Nothing for a broken file.
std::optional<ZoneRules> ParseTzFile(std::string_view bytes);

}  // namespace tidemill
