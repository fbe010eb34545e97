#include <algorithm>
#include <array>
#include <optional>

#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/datetime_pattern/names.h"

namespace tidemill {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Whether a text begins with the word, in any case.
bool BeginsWith(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(),
                    [](char a, char b) { return Lower(a) == Lower(b); });
}

constexpr int kFields = 32;

}  // namespace

// Reads one text. One per value.
class PatternParser {
 public:
  using Field = DatetimePattern::Field;
  using Item = DatetimePattern::Item;

  PatternParser(const DatetimePattern& pattern, std::string_view text)
      : pattern_(pattern), items_(pattern.items_), text_(text) {}

  // The wall clock; false where the text does not fit.
  bool Read(int64_t* local_micros) {
    return ReadItems(0, static_cast<int>(items_.size())) && pos_ == text_.size() &&
           Resolve(local_micros);
  }
  const std::optional<int32_t>& offset() const { return offset_; }
  const std::shared_ptr<const TimeZone>& zone() const { return zone_; }

 private:
  struct State {
    size_t pos;
    std::array<int64_t, kFields> values;
    uint32_t known;
  };

  bool ReadItems(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const Item& item = items_[i];
      if (item.field == Field::kOptionalBegin) {
        const State before = {pos_, values_, known_};
        if (!ReadItems(i + 1, item.skip_to)) {
          pos_ = before.pos;
          values_ = before.values;
          known_ = before.known;
        }
        i = item.skip_to;
      } else if (!ReadItem(item)) {
        return false;
      }
    }
    return true;
  }

  std::string_view rest() const { return text_.substr(pos_); }

  bool Set(Field field, int64_t value) {
    const auto index = static_cast<size_t>(field);
    // The same field twice must agree.
    if (Has(field) && values_[index] != value) return false;
    values_[index] = value;
    known_ |= 1U << index;
    return true;
  }
  bool Has(Field field) const { return (known_ >> static_cast<size_t>(field) & 1U) != 0; }
  int64_t Get(Field field, int64_t otherwise) const {
    return Has(field) ? values_[static_cast<size_t>(field)] : otherwise;
  }

  bool ReadItem(const Item& item) {
    switch (item.field) {
      case Field::kLiteral:
        if (!BeginsWith(rest(), item.literal)) return false;
        pos_ += item.literal.size();
        return true;
      case Field::kFraction:
        return ReadFraction(item.count);
      case Field::kZoneId:
      case Field::kZoneName:
        return ReadZone();
      case Field::kOffset:
        return ReadOffset(item);
      case Field::kLocalizedOffset:
        return ReadLocalizedOffset();
      case Field::kOptionalBegin:
      case Field::kOptionalEnd:
        return true;
      default:
        return item.is_text ? ReadName(item) : ReadNumber(item);
    }
  }

  bool ReadNumber(const Item& item) {
    bool is_negative = false, has_plus = false;
    if (pos_ < text_.size() && (text_[pos_] == '-' || text_[pos_] == '+')) {
      if (!item.is_signed) return false;
      is_negative = text_[pos_] == '-';
      has_plus = !is_negative;
      if (has_plus && !item.exceeds_pad) return false;
      ++pos_;
    }
    size_t digits = 0;
    while (pos_ + digits < text_.size() && IsDigit(text_[pos_ + digits])) ++digits;
    size_t width = std::min<size_t>(digits, item.max_width + item.reserved);
    if (item.reserved > 0) {
      width = std::max<size_t>(item.min_width, width > item.reserved ? width - item.reserved : 0);
    }
    if (width < item.min_width || width > digits || width > 18) return false;
    int64_t value = 0;
    for (size_t i = 0; i < width; ++i) value = value * 10 + (text_[pos_ + i] - '0');
    pos_ += width;
    if (item.exceeds_pad) {
      const bool exceeds = width > item.min_width;
      if (!is_negative && exceeds != has_plus) return false;
    }
    if (is_negative && value == 0) return false;
    if (item.field == Field::kYearOfTwo) return Set(Field::kYear, 2000 + value);
    return Set(item.field, is_negative ? -value : value);
  }

  bool ReadFraction(int most) {
    int64_t nanos = 0, scale = 100'000'000;
    int digits = 0;
    for (; digits < most && pos_ < text_.size() && IsDigit(text_[pos_]); ++digits, ++pos_) {
      nanos += (text_[pos_] - '0') * scale;
      scale /= 10;
    }
    return digits > 0 && Set(Field::kFraction, nanos / 1000);
  }

  bool ReadName(const Item& item) {
    const bool is_full = item.count == 4;
    switch (item.field) {
      case Field::kEra:
        return ReadWord({is_full ? "Before Christ" : "BC", is_full ? "Anno Domini" : "AD"},
                        Field::kEra, 0);
      case Field::kHalfDay:
        return ReadWord({"AM", "PM"}, Field::kHalfDay, 0);
      default:
        break;
    }
    for (size_t i = 0; i < kMonthNames.size(); ++i) {
      const std::string_view name = is_full ? kMonthNames[i] : kMonthNames[i].substr(0, 3);
      if (!BeginsWith(rest(), name)) continue;
      pos_ += name.size();
      return Set(Field::kMonth, static_cast<int64_t>(i) + 1);
    }
    return false;
  }

  bool ReadWord(std::array<std::string_view, 2> words, Field field, int64_t first) {
    for (std::string_view word : words) {
      if (BeginsWith(rest(), word)) {
        pos_ += word.size();
        return Set(field, first);
      }
      ++first;
    }
    return false;
  }

  bool ReadZone() {
    size_t size = 0;
    auto belongs = [](char c) {
      return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '/' || c == '_' ||
             c == '+' || c == '-' || c == ':';
    };
    while (pos_ + size < text_.size() && belongs(text_[pos_ + size])) ++size;
    if (size == 0) return false;
    auto found = FindTimeZone(text_.substr(pos_, size));
    if (!found.ok()) return false;
    pos_ += size;
    zone_ = *std::move(found);
    return true;
  }

  bool TakePair(int* value) {
    if (pos_ + 1 >= text_.size() || !IsDigit(text_[pos_]) || !IsDigit(text_[pos_ + 1]))
      return false;
    *value = (text_[pos_] - '0') * 10 + (text_[pos_ + 1] - '0');
    pos_ += 2;
    return true;
  }

  bool ReadOffset(const Item& item) {
    const size_t begin = pos_;
    const bool has_sign = pos_ < text_.size() && (text_[pos_] == '+' || text_[pos_] == '-');
    if (has_sign) {
      const bool is_negative = text_[pos_++] == '-';
      int hour = 0, minute = 0, second = 0;
      const bool has_colon = item.style.find(':') != std::string::npos;
      if (TakePair(&hour) && ReadOffsetPart(item.style == "+HHmm", has_colon, &minute) &&
          (!item.style.ends_with("ss") || ReadOffsetPart(true, has_colon, &second)) &&
          minute < 60 && second < 60 && hour <= 18) {
        const int32_t size = hour * 3600 + minute * 60 + second;
        offset_ = is_negative ? -size : size;
        return true;
      }
      pos_ = begin;
    }
    if (!BeginsWith(rest(), item.literal)) return false;
    pos_ += item.literal.size();
    offset_ = 0;
    return true;
  }

  bool ReadOffsetPart(bool is_optional, bool has_colon, int* value) {
    const size_t begin = pos_;
    if (has_colon && (pos_ >= text_.size() || text_[pos_] != ':')) return is_optional;
    if (has_colon) ++pos_;
    if (TakePair(value)) return true;
    pos_ = begin;
    return is_optional;
  }

  bool ReadLocalizedOffset() {
    if (!BeginsWith(rest(), "GMT")) return false;
    size_t end = pos_ + 3;
    while (end < text_.size() &&
           (IsDigit(text_[end]) || text_[end] == '+' || text_[end] == '-' || text_[end] == ':')) {
      ++end;
    }
    const auto parsed = ParseZoneOffset(text_.substr(pos_, end - pos_));
    if (!parsed) return false;
    pos_ = end;
    offset_ = *parsed;
    return true;
  }

  bool ResolveDate(int64_t* days) const {
    int64_t year = Get(Field::kYear, 1970);
    if (pattern_.has_era_) {
      if (Has(Field::kYear) && year < 1) return false;
      if (Has(Field::kYear) && Get(Field::kEra, 1) == 0) year = 1 - year;
    }
    if (year < -999'999'999 || year > 999'999'999) return false;
    if (Has(Field::kDayOfYear) && Has(Field::kYear)) {
      const int64_t day = Get(Field::kDayOfYear, 1);
      if (day < 1 || day > (IsLeapYear(year) ? 366 : 365)) return false;
      *days = DaysFromCivil({year, 1, 1}) + day - 1;
      const CivilDate date = CivilFromDays(*days);
      return Get(Field::kMonth, date.month) == date.month &&
             Get(Field::kDayOfMonth, date.day) == date.day;
    }
    const int64_t month = Get(Field::kMonth, 1);
    const int64_t day = Get(Field::kDayOfMonth, 1);
    if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<int>(month))) {
      return false;
    }
    *days = DaysFromCivil({year, static_cast<int>(month), static_cast<int>(day)});
    return true;
  }

  bool InRange(Field field, int64_t low, int64_t high) const {
    const int64_t value = Get(field, low);
    return value >= low && value <= high;
  }

  bool ResolveTime(int64_t* micros) const {
    if (!InRange(Field::kHourOfDay, 0, 23) || !InRange(Field::kClockHourOfDay, 1, 24) ||
        !InRange(Field::kHourOfHalf, 0, 11) || !InRange(Field::kClockHourOfHalf, 1, 12) ||
        !InRange(Field::kMinute, 0, 59) || !InRange(Field::kSecond, 0, 59)) {
      return false;
    }
    const int64_t half = Get(Field::kHalfDay, 0) * 12;
    int64_t hour = Has(Field::kHalfDay) ? half : 0;
    if (Has(Field::kHourOfHalf)) hour = half + Get(Field::kHourOfHalf, 0);
    if (Has(Field::kClockHourOfHalf)) hour = half + Get(Field::kClockHourOfHalf, 12) % 12;
    if (Has(Field::kClockHourOfDay)) hour = Get(Field::kClockHourOfDay, 24) % 24;
    if (Has(Field::kHourOfDay)) hour = Get(Field::kHourOfDay, 0);
    if (Has(Field::kHalfDay) && hour / 12 != half / 12) return false;
    const int64_t seconds = hour * 3600 + Get(Field::kMinute, 0) * 60 + Get(Field::kSecond, 0);
    *micros = seconds * kMicrosPerSecond + Get(Field::kFraction, 0);
    return true;
  }

  bool Resolve(int64_t* local_micros) const {
    int64_t days = 0, time = 0, total = 0;
    if (!ResolveDate(&days) || !ResolveTime(&time)) return false;
    if (__builtin_mul_overflow(days, kMicrosPerDay, &total) ||
        __builtin_add_overflow(total, time, &total)) {
      return false;
    }
    *local_micros = total;
    return true;
  }

  const DatetimePattern& pattern_;
  const std::vector<Item>& items_;
  const std::string_view text_;
  size_t pos_ = 0;
  std::array<int64_t, kFields> values_{};
  uint32_t known_ = 0;
  std::optional<int32_t> offset_;
  std::shared_ptr<const TimeZone> zone_;
};

bool DatetimePattern::ParseFixed(std::string_view text, int64_t* local_micros) const {
  if (fixed_.size == 0 || text.size() != fixed_.size) return false;
  bool is_other = false;
  for (const FixedChar& fixed : fixed_.chars) is_other |= text[fixed.at] != fixed.c;
  CivilDate date;
  uint32_t hour = 0, minute = 0, second = 0, micros = 0;
  for (const FixedNumber& number : fixed_.numbers) {
    uint32_t value = 0;
    for (int i = number.begin; i < number.begin + number.width; ++i) {
      const uint32_t digit = static_cast<unsigned char>(text[i]) - uint32_t{'0'};
      is_other |= digit > 9;
      value = value * 10 + digit;
    }
    switch (number.field) {
      case Field::kYear:
        date.year = value;
        break;
      case Field::kYearOfTwo:
        date.year = 2000 + value;
        break;
      case Field::kMonth:
        date.month = static_cast<int>(value);
        break;
      case Field::kDayOfMonth:
        date.day = static_cast<int>(value);
        break;
      case Field::kHourOfDay:
        hour = value;
        break;
      case Field::kMinute:
        minute = value;
        break;
      case Field::kSecond:
        second = value;
        break;
      default:
        for (int digits = number.width; digits < 6; ++digits) value *= 10;
        for (int digits = number.width; digits > 6; --digits) value /= 10;
        micros = value;
    }
  }
  if (is_other || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > DaysInMonth(date.year, date.month) || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  const int64_t second_of_day = (hour * 60 + minute) * 60 + second;
  *local_micros =
      (DaysFromCivil(date) * kSecondsPerDay + second_of_day) * kMicrosPerSecond + micros;
  return true;
}

bool DatetimePattern::Parse(std::string_view text, const TimeZone& zone,
                            int64_t* micros_utc) const {
  int64_t local = 0;
  if (ParseFixed(text, &local)) {
    *micros_utc = LocalToUtcMicros(zone, local);
    return true;
  }
  PatternParser parser(*this, text);
  if (!parser.Read(&local)) return false;
  if (parser.offset()) {
    *micros_utc = local - *parser.offset() * kMicrosPerSecond;
  } else {
    *micros_utc = LocalToUtcMicros(parser.zone() != nullptr ? *parser.zone() : zone, local);
  }
  return true;
}

bool DatetimePattern::ParseLocal(std::string_view text, int64_t* local_micros) const {
  return ParseFixed(text, local_micros) || PatternParser(*this, text).Read(local_micros);
}

}  // namespace tidemill
