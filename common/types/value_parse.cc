#include "common/types/value_parse.h"

#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "common/types/civil_time.h"

namespace tidemill {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// White space and ISO control characters, as UTF8String.trimAll.
bool IsTrimmed(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsTrimmed(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsTrimmed(text.back())) text.remove_suffix(1);
  return text;
}

// `lower` holds no upper-case letters.
bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> lower) {
  return std::any_of(lower.begin(), lower.end(),
                     [&](std::string_view word) { return EqualsIgnoringCase(text, word); });
}

// Takes a sign off; true for '-'.
bool TakeSign(std::string_view* text) {
  if (text->empty() || (text->front() != '-' && text->front() != '+')) return false;
  const bool negative = text->front() == '-';
  text->remove_prefix(1);
  return negative;
}

// Whether a decimal text that from_chars found out of range is too large (rather than too small).
bool IsHuge(std::string_view digits) {
  int64_t magnitude = 0;  // decimal exponent of the first significant digit
  bool point = false;
  bool significant = false;
  for (size_t i = 0; i < digits.size(); ++i) {
    const char c = digits[i];
    if (c == 'e' || c == 'E') {
      // An exponent that does not fit either decides alone.
      digits.remove_prefix(i + 1);
      const bool negative = TakeSign(&digits);
      int64_t exponent = 0;
      for (char d : digits) exponent = std::min<int64_t>(exponent * 10 + (d - '0'), 1 << 30);
      return magnitude + (negative ? -exponent : exponent) > 0;
    }
    if (c == '.') {
      point = true;
    } else {
      significant |= c != '0';
      if (significant && !point) ++magnitude;
      if (!significant && point) --magnitude;
    }
  }
  return magnitude > 0;
}

// Java's grammar without the sign: digits with an optional point and exponent, "0x1.8p3".
template <class T>
bool ParseMagnitude(std::string_view text, T* value) {
  std::chars_format format = std::chars_format::general;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    if (text.find_first_of("pP") == std::string_view::npos) return false;
    text.remove_prefix(2);
    constexpr std::string_view kStarts = ".0123456789abcdefABCDEF";
    if (kStarts.find(text[0]) == kStarts.npos) return false;
    format = std::chars_format::hex;
  } else if (text.empty() || !(IsDigit(text[0]) || text[0] == '.')) {
    return false;  // from_chars takes "inf" and "nan" too
  }
  const char* const end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, *value, format);
  if (error == std::errc::invalid_argument || parsed_to != end) return false;
  if (error == std::errc::result_out_of_range) {
    const bool huge = format == std::chars_format::hex ? text.find('-') == text.npos : IsHuge(text);
    *value = huge ? std::numeric_limits<T>::infinity() : T{0};
  }
  return true;
}

template <class T>
bool ParseFloating(std::string_view text, T* out) {
  text = Trim(text);
  const std::string_view signed_text = text;
  const bool negative = TakeSign(&text);
  T value = 0;
  if (!text.empty() && !IsDigit(text.front()) && text.front() != '.') {
    if (IsOneOf(text, {"inf", "infinity"})) {
      value = std::numeric_limits<T>::infinity();
    } else if (text == "NaN" || EqualsIgnoringCase(signed_text, "nan")) {
      value = std::numeric_limits<T>::quiet_NaN();
    } else {
      return false;
    }
  } else {
    constexpr std::string_view kSuffixes = "dDfF";
    if (!text.empty() && kSuffixes.find(text.back()) != kSuffixes.npos) text.remove_suffix(1);
    if (!ParseMagnitude(text, &value)) return false;
  }
  *out = negative ? -value : value;
  return true;
}

// The parts of "12.50e-3".
struct DecimalText {
  std::string_view whole;     // without leading zeros
  std::string_view fraction;  // as written
  int64_t exponent = 0;
};

bool SplitDecimal(std::string_view text, DecimalText* out) {
  size_t end = 0;
  while (end < text.size() && IsDigit(text[end])) ++end;
  out->whole = text.substr(0, end);
  text.remove_prefix(end);
  if (!text.empty() && text[0] == '.') {
    for (end = 1; end < text.size() && IsDigit(text[end]);) ++end;
    out->fraction = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  if (out->whole.empty() && out->fraction.empty()) return false;
  if (!text.empty()) {
    if (text[0] != 'e' && text[0] != 'E') return false;
    text.remove_prefix(1);
    const bool negative = TakeSign(&text);
    if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return false;
    // Java's BigDecimal keeps a 32-bit exponent.
    for (char c : text) {
      out->exponent = out->exponent * 10 + (c - '0');
      if (out->exponent > std::numeric_limits<int32_t>::max()) return false;
    }
    if (negative) out->exponent = -out->exponent;
  }
  while (!out->whole.empty() && out->whole[0] == '0') out->whole.remove_prefix(1);
  return true;
}

// Takes groups of digits and what stands between them.
class ClockReader {
 public:
  explicit ClockReader(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  std::string_view rest() const { return text_; }

  bool TakeChar(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  // All digits here; false unless they are `least` to `most`.
  bool TakeDigits(size_t least, size_t most, int* value) {
    size_t size = 0;
    int number = 0;
    for (; size < text_.size() && IsDigit(text_[size]); ++size) {
      if (size == most) return false;
      number = number * 10 + (text_[size] - '0');
    }
    text_.remove_prefix(size);
    *value = number;
    return size >= least;
  }

  // Micros; digits after the sixth are dropped.
  int64_t TakeFraction() {
    int64_t micros = 0;
    int digits = 0;
    for (; !text_.empty() && IsDigit(text_[0]); text_.remove_prefix(1)) {
      if (digits == 6) continue;
      micros = micros * 10 + (text_[0] - '0');
      ++digits;
    }
    for (; digits < 6; ++digits) micros *= 10;
    return micros;
  }

 private:
  std::string_view text_;
};

// Takes yyyy, yyyy-[m]m or yyyy-[m]m-[d]d. `complete` says whether a day was there; without one the
// text must have ended.
bool TakeDate(ClockReader* reader, size_t year_digits, bool negative, int64_t* days,
              bool* complete) {
  int year = 0;
  int month = 1;
  int day = 1;
  *complete = false;
  if (!reader->TakeDigits(4, year_digits, &year)) return false;
  if (!reader->AtEnd()) {
    if (!reader->TakeChar('-') || !reader->TakeDigits(1, 2, &month)) return false;
    if (!reader->AtEnd()) {
      if (!reader->TakeChar('-') || !reader->TakeDigits(1, 2, &day)) return false;
      *complete = true;
    }
  }
  if (negative) year = -year;
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  *days = DaysFromCivil({year, month, day});
  return true;
}

struct WallClock {
  int64_t seconds = 0;  // local, since 1970-01-01
  int64_t micros = 0;
  std::string_view zone;  // as written, empty for none
};

bool TakeTime(ClockReader* reader, WallClock* out) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!reader->TakeDigits(1, 2, &hour)) return false;
  if (!reader->AtEnd()) {
    if (!reader->TakeChar(':') || !reader->TakeDigits(1, 2, &minute)) return false;
    if (!reader->AtEnd()) {
      if (!reader->TakeChar(':') || !reader->TakeDigits(1, 2, &second)) return false;
      if (reader->TakeChar('.')) out->micros = reader->TakeFraction();
      out->zone = Trim(reader->rest());
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  out->seconds += hour * 3600 + minute * 60 + second;
  return true;
}

bool ParseWallClock(std::string_view text, WallClock* out) {
  text = Trim(text);
  const bool negative = TakeSign(&text);
  ClockReader reader(text);
  int64_t days = 0;
  bool complete = false;
  if (!TakeDate(&reader, 6, negative, &days, &complete)) return false;
  out->seconds = days * kSecondsPerDay;
  if (!complete || reader.AtEnd()) return true;
  if (!reader.TakeChar(' ') && !reader.TakeChar('T')) return false;
  return TakeTime(&reader, out);
}

// A zone by its name in a value. Remembers the last one, as values of one column agree mostly; null
// for an unknown zone.
const TimeZone* ZoneInValue(std::string_view name) {
  struct Memo {
    std::string name;
    std::shared_ptr<const TimeZone> zone;
  };
  thread_local Memo memo;
  if (memo.name != name) {
    auto found = FindTimeZone(name);
    memo.name = std::string(name);
    memo.zone = found.ok() ? *std::move(found) : nullptr;
  }
  return memo.zone.get();
}

bool ToMicros(int64_t seconds, int64_t micros, int64_t* out) {
  const __int128 total = static_cast<__int128>(seconds) * kMicrosPerSecond + micros;
  if (total < INT64_MIN || total > INT64_MAX) return false;
  *out = static_cast<int64_t>(total);
  return true;
}

// Numbers of fixed length in one text; whether all were digits is asked once, at the end.
class Digits {
 public:
  explicit Digits(const char* text) : text_(text) {}

  int One(int at) {
    const unsigned digit = static_cast<unsigned char>(text_[at]) - unsigned{'0'};
    has_other_ |= digit > 9;
    return static_cast<int>(digit);
  }
  int Two(int at) { return One(at) * 10 + One(at + 1); }
  int Four(int at) { return Two(at) * 100 + Two(at + 2); }
  bool has_other() const { return has_other_; }

 private:
  const char* const text_;
  bool has_other_ = false;
};

// "2026-11-23T12:00:00" with up to six fraction digits, `T` or a blank, and perhaps a "Z" behind
// it, which is the zone then: what nearly every log has. False for every other form, valid or not.
bool ParsePlainWallClock(std::string_view text, WallClock* out) {
  if (text.size() < 19 || text.size() > 27) return false;
  const size_t size = text.size() - (text.back() == 'Z' ? 1 : 0);
  const char* const t = text.data();
  if (size < 19 || t[4] != '-' || t[7] != '-' || (t[10] != 'T' && t[10] != ' ') || t[13] != ':' ||
      t[16] != ':') {
    return false;
  }
  Digits digits(t);
  const CivilDate date{digits.Four(0), digits.Two(5), digits.Two(8)};
  const int hour = digits.Two(11);
  const int minute = digits.Two(14);
  const int second = digits.Two(17);
  int64_t fraction = 0;
  if (size > 19) {
    if (t[19] != '.' || size == 20 || size > 26) return false;
    for (int at = 20, unit = 100'000; at < static_cast<int>(size); ++at, unit /= 10) {
      fraction += digits.One(at) * unit;
    }
  }
  if (digits.has_other() || date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > DaysInMonth(date.year, date.month) || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  out->seconds = DaysFromCivil(date) * kSecondsPerDay + (hour * 60 + minute) * 60 + second;
  out->micros = fraction;
  out->zone = text.substr(size);
  return true;
}

}  // namespace

bool ParsePlainDouble(std::string_view text, double* out) {
  constexpr std::array<double, 20> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                              1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                              1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  const bool is_negative = !text.empty() && text[0] == '-';
  if (is_negative) text.remove_prefix(1);
  if (text.empty() || text.size() > kPowers.size()) return false;  // 19 digits and a point
  uint64_t digits = 0;
  size_t point = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - '0';
    if (digit > 9) {
      if (text[i] != '.' || point != text.size()) return false;
      point = i;
    } else {
      digits = digits * 10 + digit;
    }
  }
  const bool has_point = point != text.size();
  if (point == 0 || point + 1 == text.size() || digits > uint64_t{1} << 53 ||
      (!has_point && text.size() == kPowers.size())) {
    return false;
  }
  const double value =
      static_cast<double>(digits) / kPowers[has_point ? text.size() - point - 1 : 0];
  *out = is_negative ? -value : value;
  return true;
}

bool ParseInt64(std::string_view text, int64_t* out) {
  text = Trim(text);
  const bool negative = TakeSign(&text);
  if (text.empty()) return false;
  uint64_t value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = static_cast<unsigned char>(text[i] - '0');
    if (digit > 9) return false;
    if (i < 18) {
      value = value * 10 + digit;
    } else if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
               __builtin_add_overflow(value, uint64_t{digit}, &value)) {
      return false;
    }
  }
  if (value > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) return false;
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  return true;
}

bool ParseDouble(std::string_view text, double* out) {
  return ParsePlainDouble(text, out) || ParseFloating(text, out);
}
bool ParseFloat(std::string_view text, float* out) { return ParseFloating(text, out); }

bool ParseDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out) {
  text = Trim(text);
  const bool negative = TakeSign(&text);
  DecimalText parts;
  if (!SplitDecimal(text, &parts)) return false;
  const auto digits = static_cast<int64_t>(parts.whole.size() + parts.fraction.size());
  auto digit_at = [&](int64_t i) {
    const auto whole = static_cast<int64_t>(parts.whole.size());
    return (i < whole ? parts.whole[i] : parts.fraction[i - whole]) - '0';
  };
  // The digits that stand before the point once the value is multiplied by 10^scale.
  const int64_t kept = static_cast<int64_t>(parts.whole.size()) + parts.exponent + scale;

  unsigned __int128 limit = 1;
  for (int32_t i = 0; i < precision; ++i) limit *= 10;
  unsigned __int128 value = 0;
  for (int64_t i = 0; i < kept && (i < digits || value != 0); ++i) {
    if (value >= limit / 10) return false;
    value = value * 10 + (i < digits ? digit_at(i) : 0);
  }
  if (kept >= 0 && kept < digits && digit_at(kept) >= 5 && ++value >= limit) return false;
  if (negative) value = -value;
  *out = arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  return true;
}

bool ParseBoolean(std::string_view text, bool* out) {
  text = Trim(text);
  if (IsOneOf(text, {"true", "t", "1", "y", "yes"})) {
    *out = true;
    return true;
  }
  if (!IsOneOf(text, {"false", "f", "0", "n", "no"})) return false;
  *out = false;
  return true;
}

bool ParseDate(std::string_view text, int32_t* days) {
  text = Trim(text);
  const bool negative = TakeSign(&text);
  ClockReader reader(text);
  int64_t value = 0;
  bool complete = false;
  if (!TakeDate(&reader, 7, negative, &value, &complete)) return false;
  if (!reader.AtEnd() && !reader.TakeChar(' ') && !reader.TakeChar('T')) return false;
  if (value < INT32_MIN || value > INT32_MAX) return false;
  *days = static_cast<int32_t>(value);
  return true;
}

bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* micros) {
  WallClock clock;
  if (ParsePlainWallClock(text, &clock)) {
    const int32_t offset = clock.zone.empty() ? LocalOffsetSeconds(zone, clock.seconds) : 0;
    *micros = (clock.seconds - offset) * kMicrosPerSecond + clock.micros;
    return true;
  }
  if (!ParseWallClock(text, &clock)) return false;
  int32_t offset = 0;
  if (clock.zone.empty()) {
    offset = LocalOffsetSeconds(zone, clock.seconds);
  } else if (const auto fixed = ParseZoneOffset(clock.zone)) {
    offset = *fixed;
  } else {
    const TimeZone* named = ZoneInValue(clock.zone);
    if (named == nullptr) return false;
    offset = LocalOffsetSeconds(*named, clock.seconds);
  }
  return ToMicros(clock.seconds - offset, clock.micros, micros);
}

bool ParseTimestampNtz(std::string_view text, int64_t* micros) {
  WallClock clock;
  if (!ParsePlainWallClock(text, &clock) && !ParseWallClock(text, &clock)) return false;
  if (!clock.zone.empty() && !ParseZoneOffset(clock.zone) && ZoneInValue(clock.zone) == nullptr)
    return false;
  return ToMicros(clock.seconds, clock.micros, micros);
}

}  // namespace tidemill
