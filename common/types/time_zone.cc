#include "common/types/time_zone.h"

#include <arrow/result.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/civil_time.h"
#include "common/types/tz_file.h"

namespace tidemill {

class TimeZone {
 public:
  TimeZone(std::string name, const ZoneRules& rules)
      : name_(std::move(name)), repeat_from_(rules.repeat_from) {
    offsets_.push_back(rules.first_offset);
    for (const ZoneRules::Transition& transition : rules.transitions) {
      // In a gap and in an overlap the offset before the change holds, so in local time the new one
      // begins where both are over.
      const int64_t local = transition.at + std::max(offsets_.back(), transition.offset);
      local_starts_.push_back(local_starts_.empty() ? local
                                                    : std::max(local, local_starts_.back()));
      starts_.push_back(transition.at);
      offsets_.push_back(transition.offset);
    }
  }

  const std::string& name() const { return name_; }
  int32_t OffsetAt(int64_t seconds) const { return Find(starts_, seconds); }
  int32_t OffsetAtLocal(int64_t seconds) const { return Find(local_starts_, seconds); }

 private:
  int32_t Find(const std::vector<int64_t>& starts, int64_t seconds) const {
    if (starts.empty()) return offsets_[0];
    if (repeat_from_ && seconds >= *repeat_from_) {
      constexpr int64_t kCycle = 146'097 * kSecondsPerDay;  // 400 years
      seconds = *repeat_from_ - kCycle + (seconds - *repeat_from_) % kCycle;
    }
    return offsets_[std::upper_bound(starts.begin(), starts.end(), seconds) - starts.begin()];
  }

  std::string name_;
  std::vector<int64_t> starts_;        // seconds, UTC
  std::vector<int64_t> local_starts_;  // the same changes in local seconds
  std::vector<int32_t> offsets_;       // offsets_[i] holds before starts_[i]; one more than starts_
  std::optional<int64_t> repeat_from_;
};

namespace {

using ZonePtr = std::shared_ptr<const TimeZone>;

// Java's ZoneId.SHORT_IDS, which Spark accepts.
constexpr auto kShortNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
});

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

arrow::Status InvalidZone(std::string_view name) {
  return MakeError(
      ErrorKind::kInvalid, "INVALID_TIMEZONE",
      fmt::format("The timezone: {} is invalid. The timezone must be either a region-based zone ID "
                  "or a zone offset. Region IDs must have the form 'area/city', such as "
                  "'America/Los_Angeles'. Zone offsets must be in the format '(+|-)HH', "
                  "'(+|-)HH:mm' or '(+|-)HH:mm:ss', e.g '-08', '+01:00' or '-13:33:33', and must "
                  "be in the range from -18:00 to +18:00. 'Z' and 'UTC' are accepted as synonyms "
                  "for '+00:00'.",
                  name));
}

// One or two digits.
bool TakeDigits(std::string_view* text, int* value) {
  size_t size = 0;
  *value = 0;
  for (; size < text->size() && size < 2 && IsDigit((*text)[size]); ++size)
    *value = *value * 10 + ((*text)[size] - '0');
  text->remove_prefix(size);
  return size > 0;
}

// What follows the sign: h, hh, hhmm, hhmmss, h:mm, hh:m, hh:mm, hh:mm:ss.
std::optional<int32_t> ParseUnsignedOffset(std::string_view text) {
  const bool colons = text.find(':') != std::string_view::npos;
  if (!colons && text.size() != 1 && text.size() != 2 && text.size() != 4 && text.size() != 6)
    return std::nullopt;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!TakeDigits(&text, &hours)) return std::nullopt;
  for (int* part : {&minutes, &seconds}) {
    if (text.empty()) break;
    if (colons) {
      if (text[0] != ':') return std::nullopt;
      text.remove_prefix(1);
    }
    const size_t before = text.size();
    if (!TakeDigits(&text, part)) return std::nullopt;
    if (before - text.size() != 2 && (part == &seconds || !text.empty())) return std::nullopt;
  }
  const int32_t total = hours * 3600 + minutes * 60 + seconds;
  if (!text.empty() || minutes > 59 || seconds > 59 || total > 18 * 3600) return std::nullopt;
  return total;
}

bool IsRegionName(std::string_view name) {
  constexpr std::string_view kOther = "~/._+-";
  if (name.size() < 2 || !IsLetter(name[0]) || name.find("..") != std::string_view::npos)
    return false;
  // Copies of the database that count leap seconds, and of the one that does not.
  if (name.starts_with("right/") || name.starts_with("posix/")) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return IsLetter(c) || IsDigit(c) || kOther.find(c) != std::string_view::npos;
  });
}

std::string ReadRegionFile(std::string_view region) {
  const char* dir = std::getenv("TZDIR");
  const std::string path =
      fmt::format("{}/{}", dir != nullptr && *dir != 0 ? dir : "/usr/share/zoneinfo", region);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);  // fails for a directory
  if (error) return "";
  std::string bytes(size, '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(size));
  return bytes;
}

ZonePtr FixedZone(std::string_view name, int32_t offset) {
  ZoneRules rules;
  rules.first_offset = offset;
  return std::make_shared<const TimeZone>(std::string(name), rules);
}

}  // namespace

std::optional<int32_t> ParseZoneOffset(std::string_view name) {
  if (name == "Z") return 0;
  for (std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.empty()) return 0;
    break;
  }
  if (name.empty() || (name[0] != '+' && name[0] != '-')) return std::nullopt;
  std::optional<int32_t> offset = ParseUnsignedOffset(name.substr(1));
  if (offset && name[0] == '-') offset = -*offset;
  return offset;
}

arrow::Result<ZonePtr> FindTimeZone(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, ZonePtr, std::less<>> regions;  // all that were ever found
  if (const auto offset = ParseZoneOffset(name)) return FixedZone(name, *offset);
  std::string_view region = name;
  for (const auto& [short_name, long_name] : kShortNames) {
    if (name == short_name) region = long_name;
  }
  if (const auto offset = ParseZoneOffset(region)) return FixedZone(name, *offset);
  if (!IsRegionName(region)) return InvalidZone(name);

  std::lock_guard lock(mutex);
  if (const auto found = regions.find(name); found != regions.end()) return found->second;
  const std::optional<ZoneRules> rules = ParseTzFile(ReadRegionFile(region));
  if (!rules) return InvalidZone(name);
  auto zone = std::make_shared<const TimeZone>(std::string(name), *rules);
  regions.emplace(name, zone);
  return zone;
}

const ZonePtr& UtcTimeZone() {
  static const ZonePtr utc = FixedZone("UTC", 0);
  return utc;
}

const std::string& TimeZoneName(const TimeZone& zone) { return zone.name(); }

int32_t UtcOffsetSeconds(const TimeZone& zone, int64_t micros_utc) {
  return zone.OffsetAt(FloorDiv(micros_utc, kMicrosPerSecond));
}

int32_t LocalOffsetSeconds(const TimeZone& zone, int64_t local_seconds) {
  return zone.OffsetAtLocal(local_seconds);
}

int64_t LocalToUtcMicros(const TimeZone& zone, int64_t local_micros) {
  const int32_t offset = zone.OffsetAtLocal(FloorDiv(local_micros, kMicrosPerSecond));
  return local_micros - offset * kMicrosPerSecond;
}

}  // namespace tidemill
