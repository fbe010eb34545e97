#include "common/json/json_numbers.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace tidemill {

namespace {

// The value of `count` digits, or -1.
int Digits(const char* at, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned digit = static_cast<unsigned char>(at[i]) - '0';
    if (digit > 9) return -1;
    value = value * 10 + static_cast<int>(digit);
  }
  return value;
}

// Days since 1970 of a date of the proleptic Gregorian calendar. Source: H. Hinnant, "chrono-
// compatible low-level date algorithms".
int64_t DaysOf(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = y / 400;  // Years have four digits here, so none is negative.
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return int64_t{era} * 146097 + day_of_era - 719468;
}

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

bool JsonInteger(std::string_view digits, int64_t* out) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *out);
  return error == std::errc() && end == digits.data() + digits.size();
}

bool JsonNonNumeric(std::string_view text, double* out) {
  if (text == "NaN") {
    *out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  const bool is_negative = !text.empty() && text[0] == '-';
  if (is_negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text != "INF" && text != "Infinity") return false;
  *out = is_negative ? -std::numeric_limits<double>::infinity()
                     : std::numeric_limits<double>::infinity();
  return true;
}

bool JsonReal(std::string_view text, double* out) {
  const char last = text.back();
  if (last == 'N' || last == 'F' || last == 'y') return JsonNonNumeric(text, out);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range)
    *out = std::strtod(std::string(text).c_str(), nullptr);
  return end == text.data() + text.size();
}

bool JsonUtcTimestamp(std::string_view text, int64_t* micros) {
  if (text.size() < 20 || text.back() != 'Z') return false;
  const char* const t = text.data();
  if (t[4] != '-' || t[7] != '-' || (t[10] != 'T' && t[10] != ' ') || t[13] != ':' ||
      t[16] != ':') {
    return false;
  }
  const int year = Digits(t, 4);
  const int month = Digits(t + 5, 2);
  const int day = Digits(t + 8, 2);
  const int hour = Digits(t + 11, 2);
  const int minute = Digits(t + 14, 2);
  const int second = Digits(t + 17, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month) ||
      hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return false;
  }
  int64_t fraction = 0;
  if (text.size() > 20) {
    const int count = static_cast<int>(text.size()) - 21;
    if (t[19] != '.' || count < 1 || count > 6) return false;
    fraction = Digits(t + 20, count);
    if (fraction < 0) return false;
    for (int i = count; i < 6; ++i) fraction *= 10;
  }
  const int64_t seconds_of_day = (hour * 60 + minute) * 60 + second;
  const int64_t seconds = DaysOf(year, month, day) * 86400 + seconds_of_day;
  *micros = seconds * 1'000'000 + fraction;
  return true;
}

bool JsonBase64(std::string_view text, std::string* out) {
  uint32_t bits = 0;
  int digits = 0;
  int padding = 0;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') continue;
    if (c == '=' && digits % 4 >= 2) {
      ++padding;
    } else {
      const int digit = Base64Digit(c);
      if (digit < 0 || padding > 0) return false;
      bits = bits << 6 | static_cast<uint32_t>(digit);
      ++digits;
      if (digits % 4 == 2) out->push_back(static_cast<char>(bits >> 4));
      if (digits % 4 == 3) out->push_back(static_cast<char>(bits >> 2));
      if (digits % 4 == 0) out->push_back(static_cast<char>(bits));
    }
  }
  return (digits + padding) % 4 == 0;
}

}  // namespace tidemill
