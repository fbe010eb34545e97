#include "driver/sql/string_escape.h"

#include <cstdint>
#include <optional>

namespace tidemill::driver::sql {

namespace {

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) code_point = 0xFFFD;
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
    return;
  }
  if (code_point < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code_point >> 6)));
  } else {
    if (code_point < 0x10000) {
      out->push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    } else {
      out->push_back(static_cast<char>(0xF0 | (code_point >> 18)));
      out->push_back(static_cast<char>(0x80 | ((code_point >> 12) & 0x3F)));
    }
    out->push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3F)));
  }
  out->push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
}

// The number written in the first `count` characters, or nothing where they are not all digits.
std::optional<uint32_t> DigitsOf(std::string_view text, size_t count, uint32_t base) {
  if (text.size() < count) return std::nullopt;
  uint32_t number = 0;
  for (char c : text.substr(0, count)) {
    uint32_t digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= base) return std::nullopt;
    number = number * base + digit;
  }
  return number;
}

// Appends what "\u" and four digits stand for, a surrogate pair as one character. Returns how many
// characters of `text` (which begins at the backslash) were read; 0 where there are no digits.
size_t AppendShortUnicode(std::string_view text, std::string* out) {
  const auto high = DigitsOf(text.substr(2), 4, 16);
  if (!high) return 0;
  if (*high >= 0xD800 && *high < 0xDC00 && text.substr(6, 2) == "\\u") {
    const auto low = DigitsOf(text.substr(8), 4, 16);
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      AppendUtf8(0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00), out);
      return 12;
    }
  }
  AppendUtf8(*high, out);
  return 6;
}

// Appends what one escape stands for; `text` begins at the backslash and has a character after it.
size_t AppendEscape(std::string_view text, std::string* out) {
  const char c = text[1];
  if (c == 'u') {
    if (size_t used = AppendShortUnicode(text, out)) return used;
  }
  if (c == 'U') {
    if (const auto code_point = DigitsOf(text.substr(2), 8, 16)) {
      AppendUtf8(*code_point, out);
      return 10;
    }
  }
  if (c == '0' || c == '1') {
    if (const auto code_point = DigitsOf(text.substr(1), 3, 8)) {
      AppendUtf8(*code_point, out);
      return 4;
    }
  }
  switch (c) {
    case '0':
      out->push_back('\0');
      break;
    case 'b':
      out->push_back('\b');
      break;
    case 'n':
      out->push_back('\n');
      break;
    case 'r':
      out->push_back('\r');
      break;
    case 't':
      out->push_back('\t');
      break;
    case 'Z':
      out->push_back('\x1A');
      break;
    case '%':
    case '_':
      out->append({'\\', c});
      break;
    default:
      out->push_back(c);
  }
  return 2;
}

}  // namespace

std::string UnescapeString(std::string_view body, char quote) {
  std::string out;
  out.reserve(body.size());
  for (size_t i = 0; i < body.size();) {
    if (body[i] == '\\' && i + 1 < body.size()) {
      i += AppendEscape(body.substr(i), &out);
    } else {
      out.push_back(body[i]);
      i += body[i] == quote ? 2 : 1;
    }
  }
  return out;
}

}  // namespace tidemill::driver::sql
