#include "common/types/tz_file.h"

#include <utility>

#include "common/types/civil_time.h"

namespace tidemill {

namespace {

constexpr int64_t kYearsOfCycle = 400;
constexpr size_t kHeaderSize = 44;

// Reads big-endian numbers; a read past the end gives 0 and makes the reader fail.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Take(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  int64_t TakeInt(size_t size) {
    uint64_t value = 0;
    for (char c : Take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return size == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
  }

  bool ok() const { return ok_; }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct TzHeader {
  bool valid = false;
  size_t utc_count = 0;
  size_t standard_count = 0;
  size_t leap_count = 0;
  size_t time_count = 0;
  size_t type_count = 0;
  size_t char_count = 0;

  size_t BodySize(size_t time_size) const {
    return time_count * (time_size + 1) + type_count * 6 + char_count +
           leap_count * (time_size + 4) + standard_count + utc_count;
  }
};

TzHeader ReadHeader(ByteReader* reader) {
  TzHeader header;
  const std::string_view start = reader->Take(kHeaderSize - 24);
  for (size_t* count : {&header.utc_count, &header.standard_count, &header.leap_count,
                        &header.time_count, &header.type_count, &header.char_count}) {
    *count = static_cast<uint32_t>(reader->TakeInt(4));
  }
  header.valid = reader->ok() && start.starts_with("TZif") && start[4] >= '2';
  return header;
}

// The day and time of a change in every year: "M3.5.0/2" (month, week, weekday), "J60" or "59".
struct YearlyRule {
  enum class Kind { kWeekday, kJulian, kDayOfYear } kind = Kind::kWeekday;
  int month = 1;
  int week = 1;
  int day = 0;
  int64_t time = 7200;  // seconds after local midnight; may be negative or more than a day

  // Seconds of local time.
  int64_t At(int64_t year) const {
    const int64_t new_year = DaysFromCivil({year, 1, 1});
    int64_t days = new_year + day;
    if (kind == Kind::kJulian) {
      days = new_year + day - 1 + (IsLeapYear(year) && day >= 60 ? 1 : 0);
    } else if (kind == Kind::kWeekday) {
      const int64_t first = DaysFromCivil({year, month, 1});
      const int64_t weekday_of_first = FloorMod(first + 4, 7);  // 1970-01-01 was a Thursday
      int64_t day_of_month = FloorMod(day - weekday_of_first, 7) + (week - 1) * int64_t{7};
      while (day_of_month >= DaysInMonth(year, month)) day_of_month -= 7;
      days = first + day_of_month;
    }
    return days * kSecondsPerDay + time;
  }
};

// The footer of a tz file, a POSIX TZ text: "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30".
struct PosixZone {
  int32_t standard_offset = 0;  // seconds east
  std::optional<int32_t> summer_offset;
  YearlyRule summer_start;
  YearlyRule summer_end;
};

class PosixParser {
 public:
  explicit PosixParser(std::string_view text) : text_(text) {}

  std::optional<PosixZone> Parse() {
    PosixZone zone;
    if (!SkipName()) return std::nullopt;
    zone.standard_offset = -static_cast<int32_t>(TakeTime());
    if (!ok_ || text_.empty()) return ok_ ? std::optional(zone) : std::nullopt;
    if (!SkipName()) return std::nullopt;
    const bool has_offset = !text_.empty() && text_[0] != ',';
    zone.summer_offset =
        has_offset ? -static_cast<int32_t>(TakeTime()) : zone.standard_offset + 3600;
    zone.summer_start = TakeRule();
    zone.summer_end = TakeRule();
    return ok_ && text_.empty() ? std::optional(zone) : std::nullopt;
  }

 private:
  bool TakeChar(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool SkipName() {
    size_t size = 0;
    if (TakeChar('<')) {
      size = text_.find('>');
      if (size == std::string_view::npos) return false;
      ++size;
    } else {
      while (size < text_.size() && ((text_[size] | 0x20) >= 'a' && (text_[size] | 0x20) <= 'z'))
        ++size;
    }
    text_.remove_prefix(size);
    return size > 0;
  }

  int TakeNumber() {
    int value = 0;
    size_t size = 0;
    for (; size < text_.size() && size < 4 && text_[size] >= '0' && text_[size] <= '9'; ++size)
      value = value * 10 + (text_[size] - '0');
    ok_ &= size > 0;
    text_.remove_prefix(size);
    return value;
  }

  // [+-]h[h[h]][:mm[:ss]]
  int64_t TakeTime() {
    const bool negative = TakeChar('-');
    if (!negative) TakeChar('+');
    int64_t seconds = TakeNumber() * int64_t{3600};
    if (TakeChar(':')) seconds += TakeNumber() * int64_t{60};
    if (TakeChar(':')) seconds += TakeNumber();
    return negative ? -seconds : seconds;
  }

  YearlyRule TakeRule() {
    YearlyRule rule;
    ok_ &= TakeChar(',');
    if (TakeChar('M')) {
      rule.month = TakeNumber();
      ok_ &= TakeChar('.');
      rule.week = TakeNumber();
      ok_ &= TakeChar('.');
      rule.day = TakeNumber();
      ok_ &=
          rule.month >= 1 && rule.month <= 12 && rule.week >= 1 && rule.week <= 5 && rule.day <= 6;
    } else {
      rule.kind = TakeChar('J') ? YearlyRule::Kind::kJulian : YearlyRule::Kind::kDayOfYear;
      rule.day = TakeNumber();
    }
    if (TakeChar('/')) rule.time = TakeTime();
    return rule;
  }

  std::string_view text_;
  bool ok_ = true;
};

void AppendTransition(int64_t at, int32_t offset, ZoneRules* rules) {
  const int32_t before =
      rules->transitions.empty() ? rules->first_offset : rules->transitions.back().offset;
  if (offset != before) rules->transitions.push_back({at, offset});
}

// Writes the yearly rule out after the last transition.
void AppendYears(const PosixZone& zone, ZoneRules* rules) {
  const int64_t last = rules->transitions.empty() ? 0 : rules->transitions.back().at;
  if (!zone.summer_offset) {
    AppendTransition(last + 1, zone.standard_offset, rules);
    return;
  }
  const int64_t first_year = CivilFromDays(FloorDiv(last, kSecondsPerDay)).year;
  const int64_t end_year = first_year + kYearsOfCycle + 2;
  for (int64_t year = first_year; year < end_year; ++year) {
    ZoneRules::Transition start{zone.summer_start.At(year) - zone.standard_offset,
                                *zone.summer_offset};
    ZoneRules::Transition end{zone.summer_end.At(year) - *zone.summer_offset, zone.standard_offset};
    if (end.at < start.at) std::swap(start, end);
    if (start.at > last) AppendTransition(start.at, start.offset, rules);
    if (end.at > last) AppendTransition(end.at, end.offset, rules);
  }
  rules->repeat_from = DaysFromCivil({end_year, 1, 1}) * kSecondsPerDay;
}

}  // namespace

std::optional<ZoneRules> ParseTzFile(std::string_view bytes) {
  ByteReader reader(bytes);
  TzHeader header = ReadHeader(&reader);
  if (!header.valid) return std::nullopt;
  reader.Take(header.BodySize(4));  // the 32-bit part, for old readers
  header = ReadHeader(&reader);
  if (!header.valid || header.type_count == 0) return std::nullopt;

  ByteReader times(reader.Take(header.time_count * 8));
  const std::string_view indices = reader.Take(header.time_count);
  ByteReader types(reader.Take(header.type_count * 6));
  reader.Take(header.char_count + header.leap_count * 12 + header.standard_count +
              header.utc_count);
  if (!reader.ok()) return std::nullopt;

  std::vector<int32_t> offsets;
  for (size_t i = 0; i < header.type_count; ++i) {
    offsets.push_back(static_cast<int32_t>(types.TakeInt(4)));
    types.Take(2);
  }
  ZoneRules rules;
  rules.first_offset = offsets[0];
  for (const char index : indices) {
    const auto type = static_cast<unsigned char>(index);
    if (type >= offsets.size()) return std::nullopt;
    AppendTransition(times.TakeInt(8), offsets[type], &rules);
  }

  std::string_view footer = reader.rest();
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return std::nullopt;
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return rules;
  const std::optional<PosixZone> zone = PosixParser(footer).Parse();
  if (!zone) return std::nullopt;
  AppendYears(*zone, &rules);
  return rules;
}

}  // namespace tidemill
