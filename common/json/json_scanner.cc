#include "common/json/json_scanner.h"

#include <algorithm>
#include <array>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidemill {

namespace {

// The first quote, backslash or control character in [from, end), or end.
const char* FindSpecial(const char* from, const char* end, char quote) {
#if defined(__SSE2__)
  const __m128i quotes = _mm_set1_epi8(quote);
  const __m128i backslashes = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; end - from >= 16; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i is_special = _mm_or_si128(
        is_control,
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes)));
    const int mask = _mm_movemask_epi8(is_special);
    if (mask != 0) return from + __builtin_ctz(mask);
  }
#endif
  while (from != end && *from != quote && *from != '\\' &&
         static_cast<unsigned char>(*from) >= 0x20) {
    ++from;
  }
  return from;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of four hexadecimal digits, or -1.
int HexUnit(std::string_view digits) {
  if (digits.size() < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(digits[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// Appends the character of the \u escape whose digits begin `*rest`, and takes it off; a pair of
// surrogates is one character.
void AppendUnicodeEscape(std::string_view* rest, std::string* out) {
  const int unit = HexUnit(*rest);
  rest->remove_prefix(4);
  if (unit < 0xD800 || unit > 0xDFFF) return AppendUtf8(unit, out);
  if (unit < 0xDC00 && rest->substr(0, 2) == "\\u") {
    const int low = HexUnit(rest->substr(2));
    if (low >= 0xDC00 && low <= 0xDFFF) {
      rest->remove_prefix(6);
      return AppendUtf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
    }
  }
  out->push_back('?');
}

}  // namespace

void UnescapeJson(std::string_view text, std::string* out) {
  while (!text.empty()) {
    const size_t backslash = text.find('\\');
    out->append(text.substr(0, backslash));
    if (backslash == std::string_view::npos) return;
    const char c = text[backslash + 1];
    text.remove_prefix(backslash + 2);
    switch (c) {
      case 'b':
        out->push_back('\b');
        break;
      case 'f':
        out->push_back('\f');
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
      case 'u':
        AppendUnicodeEscape(&text, out);
        break;
      default:
        out->push_back(c);
    }
  }
}

bool JsonScanner::ScanEscape(char quote) {
  ++at_;
  if (at_ == end_) return false;
  const char c = *at_++;
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    case '\'':
      return syntax_.allows_single_quotes;
    case 'u':
      if (HexUnit({at_, static_cast<size_t>(end_ - at_)}) < 0) return false;
      at_ += 4;
      return true;
    default:
      return syntax_.allows_any_escape;
  }
}

bool JsonScanner::SkipComment() {
  const std::string_view rest(at_, static_cast<size_t>(end_ - at_));
  size_t end = std::string_view::npos;
  if (rest.starts_with("//")) {
    end = std::min(rest.find('\n'), rest.size());
  } else if (rest.starts_with("/*")) {
    end = rest.find("*/", 2);
    if (end != std::string_view::npos) end += 2;
  }
  if (end == std::string_view::npos) return false;
  at_ += end;
  return true;
}

// A name as Java writes one.
bool JsonScanner::ScanBareName(JsonValue* name) {
  const auto is_part = [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || IsDigit(c) || c == '_' || c == '$' || c == '-' || (c & 0x80) != 0;
  };
  if (!syntax_.allows_unquoted_names || at_ == end_ || IsDigit(*at_) || *at_ == '-') return false;
  name->data = at_;
  name->kind = JsonKind::kString;
  while (at_ != end_ && is_part(*at_)) ++at_;
  name->size = static_cast<uint32_t>(at_ - name->data);
  return name->size > 0;
}

bool JsonScanner::ScanString(JsonValue* value) {
  const char quote = *at_++;
  value->data = at_;
  value->kind = JsonKind::kString;
  while (true) {
    at_ = FindSpecial(at_, end_, quote);
    if (at_ == end_) return false;
    if (*at_ == quote) break;
    if (static_cast<unsigned char>(*at_) < 0x20 && syntax_.allows_control_characters) {
      ++at_;
      continue;
    }
    if (*at_ != '\\' || !ScanEscape(quote)) return false;
    value->kind = JsonKind::kEscapedString;
  }
  value->size = static_cast<uint32_t>(at_++ - value->data);
  return true;
}

bool JsonScanner::ScanNumber(JsonValue* value) {
  value->data = at_;
  value->kind = JsonKind::kInteger;
  if (*at_ == '-') ++at_;
  if (at_ == end_) return false;
  if (*at_ == 'I') return ScanNonNumeric(value);
  if (!IsDigit(*at_)) return false;
  if (*at_ == '0' && !syntax_.allows_leading_zeros) {
    ++at_;
  } else {
    while (at_ != end_ && IsDigit(*at_)) ++at_;
  }
  if (at_ != end_ && *at_ == '.') {
    value->kind = JsonKind::kReal;
    ++at_;
    if (at_ == end_ || !IsDigit(*at_)) return false;
    while (at_ != end_ && IsDigit(*at_)) ++at_;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    value->kind = JsonKind::kReal;
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (at_ == end_ || !IsDigit(*at_)) return false;
    while (at_ != end_ && IsDigit(*at_)) ++at_;
  }
  value->size = static_cast<uint32_t>(at_ - value->data);
  return true;
}

// At NaN or an infinity whose sign, if any, was passed already; value->data is at the sign.
bool JsonScanner::ScanNonNumeric(JsonValue* value) {
  if (!syntax_.allows_non_numeric_numbers) return false;
  const std::string_view rest(at_, end_ - at_);
  for (const std::string_view word : {"NaN", "Infinity", "INF"}) {
    if (rest.substr(0, word.size()) != word) continue;
    at_ += word.size();
    value->kind = JsonKind::kReal;
    value->size = static_cast<uint32_t>(at_ - value->data);
    return true;
  }
  return false;
}

bool JsonScanner::ScanWord(std::string_view word, JsonKind kind, JsonValue* value) {
  if (std::string_view(at_, end_ - at_).substr(0, word.size()) != word) return false;
  *value = {.data = at_, .size = static_cast<uint32_t>(word.size()), .kind = kind};
  at_ += word.size();
  return true;
}

bool JsonScanner::ScanValue(int depth, JsonValue* value) {
  const char first = Peek();
  const char* const begin = at_;
  const auto ignore = [](const auto&...) {};
  switch (first) {
    case '"':
      return ScanString(value);
    case '\'':
      return syntax_.allows_single_quotes && ScanString(value);
    case '{':
      if (!ScanObject(depth, ignore)) return false;
      *value = {
          .data = begin, .size = static_cast<uint32_t>(at_ - begin), .kind = JsonKind::kObject};
      return true;
    case '[':
      if (!ScanArray(depth, ignore)) return false;
      *value = {
          .data = begin, .size = static_cast<uint32_t>(at_ - begin), .kind = JsonKind::kArray};
      return true;
    case 't':
      return ScanWord("true", JsonKind::kTrue, value);
    case 'f':
      return ScanWord("false", JsonKind::kFalse, value);
    case 'n':
      return ScanWord("null", JsonKind::kNull, value);
    case 'N':
    case 'I':
      value->data = begin;
      return ScanNonNumeric(value);
    case '+':
      value->data = begin;
      ++at_;
      return at_ != end_ && *at_ == 'I' && ScanNonNumeric(value);
    default:
      return (first == '-' || IsDigit(first)) && ScanNumber(value);
  }
}

}  // namespace tidemill
