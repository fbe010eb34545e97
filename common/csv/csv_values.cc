#include "common/csv/csv_values.h"

#include <charconv>
#include <cmath>
#include <string>

#include "common/base/ascii.h"
#include "common/types/value_parse.h"

namespace tidemill {

namespace {

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Java's spellings of what is no number; CAST takes more of them.
bool IsJavaReal(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  return (text[0] >= '0' && text[0] <= '9') || text[0] == '.' || text == "NaN" ||
         text == "Infinity";
}

}  // namespace

bool CsvInteger(std::string_view text, int64_t* out) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool CsvDouble(std::string_view text, double* out) {
  if (ParsePlainDouble(text, out)) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(*out)) return true;
  return IsJavaReal(text) && ParseDouble(text, out);
}

bool CsvFloat(std::string_view text, float* out) {
  return IsJavaReal(text) && ParseFloat(text, out);
}

bool CsvBoolean(std::string_view text, bool* out) {
  *out = EqualsIgnoringCase(text, "true");
  return *out || EqualsIgnoringCase(text, "false");
}

bool CsvDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out) {
  std::string without_commas;
  if (text.find(',') != std::string_view::npos) {
    without_commas = text;
    std::erase(without_commas, ',');
    text = without_commas;
  }
  return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
         ParseDecimal(text, precision, scale, out);
}

bool CsvDate(std::string_view text, const DatetimePattern* pattern, int32_t* days) {
  if (pattern == nullptr) return ParseDate(text, days);
  constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;
  int64_t micros = 0;
  if (!pattern->ParseLocal(text, &micros)) return false;
  *days = static_cast<int32_t>(micros / kMicrosOfDay - (micros % kMicrosOfDay < 0 ? 1 : 0));
  return true;
}

bool CsvTimestamp(std::string_view text, const DatetimePattern* pattern, const TimeZone& zone,
                  int64_t* micros) {
  return pattern == nullptr ? ParseTimestamp(text, zone, micros)
                            : pattern->Parse(text, zone, micros);
}

bool CsvTimestampNtz(std::string_view text, const DatetimePattern* pattern, int64_t* micros) {
  if (pattern != nullptr) return pattern->ParseLocal(text, micros);
  if (!ParseTimestampNtz(text, micros)) return false;
  // Behind the first colon of a time only digits, colons and a point are no zone.
  const size_t time = text.find(':');
  return time == std::string_view::npos ||
         Trim(text.substr(time)).find_first_not_of("0123456789:.") == std::string_view::npos;
}

bool CsvCalendarInterval(std::string_view text,
                         arrow::MonthDayNanoIntervalType::MonthDayNanos* out) {
  const auto value = ParseInterval(text);
  if (!value.ok()) return false;
  out->months = value->months;
  out->days = value->days;
  return !__builtin_mul_overflow(value->microseconds, kNanosPerMicro, &out->nanoseconds);
}

}  // namespace tidemill
