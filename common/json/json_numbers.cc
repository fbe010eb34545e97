#include "common/json/json_numbers.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "common/types/value_parse.h"

namespace tidemill {

namespace {

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
  if (ParsePlainDouble(text, out)) return true;
  const char last = text.back();
  if (last == 'N' || last == 'F' || last == 'y') return JsonNonNumeric(text, out);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range)
    *out = std::strtod(std::string(text).c_str(), nullptr);
  return end == text.data() + text.size();
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
