#include "common/functions/codec/uri.h"

#include <algorithm>

#include "common/functions/codec/radix_text.h"
#include "common/functions/codec/utf8_validity.h"

namespace tidemill {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphanumeric(char c) { return IsDigit(c) || IsAlpha(c); }

constexpr std::string_view kMarks = "-_.!~*'()";
constexpr std::string_view kUriCharacters = ";/?:@&=+$,[]";
constexpr std::string_view kPathCharacters = ":@&=+$,;/";
constexpr std::string_view kUserCharacters = ";:&=+$,";
constexpr std::string_view kServerCharacters = ";:&=+$,.@[]";
constexpr std::string_view kRegistryCharacters = "$,;:@&=+";

// A character beyond ASCII that is neither a control nor a blank.
bool IsOther(std::string_view character) {
  if (character.size() == 2) return character >= "\xC2\xA1";
  return character != "\xE1\x9A\x80" && character != "\xE2\x80\xA8" &&
         character != "\xE2\x80\xA9" && character != "\xE2\x80\xAF" &&
         character != "\xE2\x81\x9F" && character != "\xE3\x80\x80" &&
         !(character >= "\xE2\x80\x80" && character <= "\xE2\x80\x8A");
}

// Whether only letters, digits, marks, escapes and characters of `more` stand there.
bool HasOnly(std::string_view text, std::string_view more, bool takes_percent = false) {
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      size_t bad = 0;
      const size_t size = ValidCharacterSize(text.substr(at), &bad);
      if (size == 0 || !IsOther(text.substr(at, size))) return false;
      at += size;
      continue;
    }
    if (c == '%' && !takes_percent) {
      if (at + 2 >= text.size() || HexDigit(text[at + 1]) < 0 || HexDigit(text[at + 2]) < 0) {
        return false;
      }
      at += 3;
      continue;
    }
    const bool is_plain = IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos ||
                          more.find(c) != std::string_view::npos || (c == '%' && takes_percent);
    if (!is_plain) return false;
    ++at;
  }
  return true;
}

// Cuts off and returns what stands before the first of `ends`.
std::string_view TakeUntil(std::string_view* rest, std::string_view ends) {
  const std::string_view taken = rest->substr(0, rest->find_first_of(ends));
  rest->remove_prefix(taken.size());
  return taken;
}

bool IsIpv4(std::string_view text) {
  int numbers = 0;
  while (true) {
    const std::string_view digits = TakeUntil(&text, ".");
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), IsDigit)) return false;
    int value = 0;
    for (const char c : digits) value = std::min(value * 10 + (c - '0'), 1000);
    if (value > 255) return false;
    ++numbers;
    if (text.empty()) return numbers == 4;
    text.remove_prefix(1);
  }
}

// Groups of hexadecimal digits between colons, `::` once, an IPv4 address at the end perhaps.
bool IsIpv6(std::string_view text) {
  const bool has_gap = text.find("::") != std::string_view::npos;
  if (text.size() < 2 || (text.front() == ':' && text.substr(0, 2) != "::")) return false;
  if (text.back() == ':' && text.substr(text.size() - 2) != "::") return false;
  if (has_gap && text.find("::", text.find("::") + 1) != std::string_view::npos) return false;
  int groups = 0;
  while (!text.empty()) {
    if (text.front() == ':') {
      text.remove_prefix(1);
      continue;
    }
    const std::string_view group = TakeUntil(&text, ":");
    if (text.empty() && group.find('.') != std::string_view::npos) {
      if (!IsIpv4(group)) return false;
      groups += 2;
      continue;
    }
    if (group.size() > 4 ||
        !std::all_of(group.begin(), group.end(), [](char c) { return HexDigit(c) >= 0; })) {
      return false;
    }
    ++groups;
  }
  return has_gap ? groups < 8 : groups == 8;
}

// Labels of letters, digits and inner hyphens; the last of several begins with a letter.
bool IsHostname(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  for (bool is_first = true;; is_first = false) {
    const std::string_view label = TakeUntil(&text, ".");
    if (label.empty() || !IsAlphanumeric(label.front()) || !IsAlphanumeric(label.back())) {
      return false;
    }
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '-'; })) {
      return false;
    }
    if (text.empty()) return is_first || IsAlpha(label.front());
    text.remove_prefix(1);
  }
}

// [user@]host[:port]. Sets the parts where it is one.
bool ParseServer(std::string_view text, Uri* uri) {
  Uri server;
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    server.user_info = text.substr(0, at);
    if (!HasOnly(*server.user_info, kUserCharacters)) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view host;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    const size_t scope = address.find('%');
    if (!IsIpv6(address.substr(0, scope)) || scope + 1 == address.size()) return false;
    host = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  } else {
    host = TakeUntil(&text, ":");
    if (!IsIpv4(host) && !IsHostname(host)) return false;
  }
  if (!text.empty()) {
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (!std::all_of(text.begin(), text.end(), IsDigit) || text.size() > 9) return false;
  }
  server.host = host;
  uri->user_info = server.user_info;
  uri->host = server.host;
  return true;
}

bool ParseAuthority(std::string_view text, Uri* uri) {
  const bool has_bracket = text.find(']') != std::string_view::npos;
  const bool is_server = HasOnly(text, kServerCharacters, has_bracket) && ParseServer(text, uri);
  if (!is_server && !HasOnly(text, kRegistryCharacters)) return false;
  uri->authority = text;
  return true;
}

// [//authority]path[?query]; what is left is the fragment.
bool ParseHierarchy(std::string_view* rest, Uri* uri) {
  if (rest->substr(0, 2) == "//") {
    rest->remove_prefix(2);
    const std::string_view authority = TakeUntil(rest, "/?#");
    if (authority.empty() && rest->empty()) return false;
    if (!authority.empty() && !ParseAuthority(authority, uri)) return false;
  }
  uri->path = TakeUntil(rest, "?#");
  if (!HasOnly(*uri->path, kPathCharacters)) return false;
  if (!rest->empty() && rest->front() == '?') {
    rest->remove_prefix(1);
    uri->query = TakeUntil(rest, "#");
    if (!HasOnly(*uri->query, kUriCharacters)) return false;
  }
  return true;
}

bool IsScheme(std::string_view text) {
  return !text.empty() && IsAlpha(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace

std::optional<Uri> Uri::Parse(std::string_view text) {
  Uri uri;
  std::string_view rest = text;
  const size_t mark = text.find_first_of("/?#:");
  if (mark != std::string_view::npos && text[mark] == ':') {
    uri.scheme = text.substr(0, mark);
    if (!IsScheme(*uri.scheme)) return std::nullopt;
    rest.remove_prefix(mark + 1);
  }
  if (uri.scheme && rest.substr(0, 1) != "/") {
    const std::string_view opaque = TakeUntil(&rest, "#");
    if (opaque.empty() || !HasOnly(opaque, kUriCharacters)) return std::nullopt;
  } else if (!ParseHierarchy(&rest, &uri)) {
    return std::nullopt;
  }
  if (!rest.empty()) {
    uri.fragment = rest.substr(1);
    if (!HasOnly(*uri.fragment, kUriCharacters)) return std::nullopt;
  }
  return uri;
}

}  // namespace tidemill
