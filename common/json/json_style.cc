#include "common/json/json_style.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cstddef>
#include <iterator>
#include <string_view>

namespace tidemill {

namespace {

// The end of the string that begins at `begin`, behind its closing quote.
size_t EndOfString(std::string_view text, size_t begin) {
  size_t at = begin + 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

// Objects have a line for each field, arrays stay on theirs.
std::string Pretty(std::string_view text) {
  std::string out;
  std::string open;  // the brackets around
  size_t depth = 0;  // objects around
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const auto new_line = [&] { out += "\n" + std::string(2 * depth, ' '); };
    if (c == '"') {
      const size_t end = EndOfString(text, at);
      out += text.substr(at, end - at);
      at = end - 1;
    } else if (c == '{' || c == '[') {
      out += c;
      if (text[at + 1] == c + 2) {  // } stands two behind {, ] two behind [
        out += ' ';
        out += text[++at];
        continue;
      }
      open += c;
      if (c == '[') {
        out += ' ';
        continue;
      }
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      open.pop_back();
      if (c == '}') {
        --depth;
        new_line();
      } else {
        out += ' ';
      }
      out += c;
    } else if (c == ',') {
      out += c;
      if (open.back() == '{') {
        new_line();
      } else {
        out += ' ';
      }
    } else if (c == ':') {
      out += " : ";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Ascii(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto* const bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
    const auto size =
        utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (size <= 1) {
      out += text[at++];
      continue;
    }
    at += static_cast<size_t>(size);
    if (code >= 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", 0xD800 + ((code - 0x10000) >> 10));
      code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    fmt::format_to(std::back_inserter(out), "\\u{:04X}", code);
  }
  return out;
}

}  // namespace

std::string Restyled(std::string text, JsonStyle style) {
  if (style.is_pretty) text = Pretty(text);
  if (style.is_ascii) text = Ascii(text);
  return text;
}

}  // namespace tidemill
