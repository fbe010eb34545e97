#include "common/functions/string/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

namespace {

bool IsMeta(char c) {
  return std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos;
}

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The name of what stands behind a backslash and is Java's only, or "".
std::string_view JavaOnlyEscape(char c) {
  if (c >= '1' && c <= '9') return "back-reference";
  switch (c) {
    case 'k':
      return "back-reference";
    case 'Z':
      return "\\Z";
    case 'G':
      return "\\G";
    case 'R':
      return "\\R";
    case 'X':
      return "\\X";
    case 'h':
    case 'H':
      return "\\h";
    default:
      return "";
  }
}

std::string_view JavaOnlyGroup(std::string_view rest) {
  for (std::string_view start : {"(?=", "(?!"}) {
    if (rest.substr(0, 3) == start) return "look-ahead";
  }
  for (std::string_view start : {"(?<=", "(?<!"}) {
    if (rest.substr(0, 4) == start) return "look-behind";
  }
  return rest.substr(0, 3) == "(?>" ? "atomic group" : "";
}

// What Java's dialect has and RE2 has not, by name, or "".
std::string_view JavaOnlySyntax(std::string_view pattern) {
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      if (pattern[i + 1] == 'Q') return "";  // the rest is quoted
      const std::string_view name = JavaOnlyEscape(pattern[++i]);
      if (!name.empty() && !in_class) return name;
      continue;
    }
    if (in_class) {
      if (c == ']') in_class = false;
      if (pattern.substr(i, 2) == "&&") return "class intersection";
      if (c == '[' && pattern.substr(i, 2) != "[:") return "nested class";
      continue;
    }
    if (c == '[') {
      in_class = true;
      if (pattern.substr(i + 1, 1) == "^") ++i;
      if (pattern.substr(i + 1, 1) == "]") ++i;
      continue;
    }
    if (c == '(') {
      const std::string_view name = JavaOnlyGroup(pattern.substr(i));
      if (!name.empty()) return name;
    }
    const bool is_quantifier = c == '*' || c == '+' || c == '?' || c == '}';
    if (is_quantifier && i > 0 && pattern.substr(i + 1, 1) == "+") return "possessive quantifier";
  }
  return "";
}

// Java's names of character classes (\p{Alpha}) that are POSIX's, or "".
std::string_view PosixClassOf(std::string_view name) {
  constexpr std::array<std::array<std::string_view, 2>, 13> kNames = {{{"Lower", "lower"},
                                                                       {"Upper", "upper"},
                                                                       {"ASCII", "ascii"},
                                                                       {"Alpha", "alpha"},
                                                                       {"Digit", "digit"},
                                                                       {"Alnum", "alnum"},
                                                                       {"Punct", "punct"},
                                                                       {"Graph", "graph"},
                                                                       {"Print", "print"},
                                                                       {"Blank", "blank"},
                                                                       {"Cntrl", "cntrl"},
                                                                       {"XDigit", "xdigit"},
                                                                       {"Space", "space"}}};
  for (const auto& [java, posix] : kNames) {
    if (java == name) return posix;
  }
  return "";
}

// An escape of Java's that RE2 spells otherwise: \u0041 and \p{Alpha}; the escape itself for
// others. `*at` is at the backslash, and afterwards at the last character of the escape.
std::string Re2Escape(std::string_view pattern, bool in_class, size_t* at) {
  const size_t begin = *at;
  const char kind = begin + 1 < pattern.size() ? pattern[begin + 1] : 0;
  if (kind == 'u' && begin + 5 < pattern.size()) {
    *at = begin + 5;
    return fmt::format("\\x{{{}}}", pattern.substr(begin + 2, 4));
  }
  const size_t end = pattern.find('}', begin);
  if ((kind == 'p' || kind == 'P') && pattern.substr(begin + 2, 1) == "{" &&
      end != std::string_view::npos) {
    const std::string_view name = PosixClassOf(pattern.substr(begin + 3, end - begin - 3));
    if (!name.empty()) {
      *at = end;
      const std::string text = fmt::format("[:{}{}:]", kind == 'P' ? "^" : "", name);
      return in_class ? text : fmt::format("[{}]", text);
    }
  }
  *at = std::min(begin + 1, pattern.size() - 1);
  return std::string(pattern.substr(begin, 2));
}

// Java's pattern in RE2's spelling: named groups as in older RE2s, and some escapes.
std::string InRe2Spelling(std::string_view pattern) {
  std::string text;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && pattern.substr(i, 2) == "\\Q") return text.append(pattern.substr(i));
    if (pattern[i] == '\\') {
      text += Re2Escape(pattern, in_class, &i);
      continue;
    }
    if (pattern[i] == '[') in_class = true;
    if (pattern[i] == ']') in_class = false;
    text += pattern[i];
    const bool is_named = pattern.substr(i, 3) == "(?<";
    if (is_named) {
      text += "?P";
      ++i;
    }
  }
  return text;
}

}  // namespace

arrow::Result<std::shared_ptr<const re2::RE2>> CompileRegex(std::string_view pattern,
                                                            std::string_view function) {
  const std::string_view java_only = JavaOnlySyntax(pattern);
  if (!java_only.empty()) {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.REGEX_SYNTAX",
                     fmt::format("regular expressions take linear time here, so Java's {} is not "
                                 "supported: function={} pattern='{}'",
                                 java_only, function, pattern));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<const re2::RE2>(InRe2Spelling(pattern), options);
  if (!regex->ok()) {
    return MakeError(ErrorKind::kInvalid, "INVALID_PARAMETER_VALUE.PATTERN",
                     fmt::format("The value of parameter(s) `regexp` in `{}` is invalid: '{}' "
                                 "({}).",
                                 function, pattern, regex->error()));
  }
  return regex;
}

std::optional<ByteClass> ByteClassOfRegex(std::string_view pattern) {
  ByteClass result;
  std::string_view atom = pattern;
  if (atom.size() > 2 && atom.back() == '+' && atom[atom.size() - 2] != '\\') {
    result.is_run = true;
    atom.remove_suffix(1);
  }
  const bool is_escape = atom.size() == 2 && atom[0] == '\\' &&
                         std::string_view("sSdDwW").find(atom[1]) != std::string_view::npos;
  const bool is_set = atom.size() > 2 && atom[0] == '[' && atom.find(']', 2) == atom.size() - 1 &&
                      atom.find_first_of("[&\\", 1) == std::string_view::npos;
  const bool is_ascii = std::all_of(atom.begin(), atom.end(), [](char c) { return c >= 0; });
  if (!(is_escape || is_set) || !is_ascii) return std::nullopt;
  auto regex = CompileRegex(atom, "split");
  if (!regex.ok()) return std::nullopt;
  for (int c = 0; c < 128; ++c) {
    const char text = static_cast<char>(c);
    result.bytes[c] = re2::RE2::FullMatch(re2::StringPiece(&text, 1), **regex);
  }
  // A negated class has all other characters too, whose bytes make a run as they do.
  if (re2::RE2::FullMatch("\xC3\xA9", **regex)) {
    if (!result.is_run) return std::nullopt;
    std::fill(result.bytes.begin() + 128, result.bytes.end(), true);
  }
  return result;
}

std::optional<std::string> LiteralOfRegex(std::string_view pattern) {
  std::string literal;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      if (i + 1 == pattern.size()) return std::nullopt;
      const char next = pattern[++i];
      if (next == 't' || next == 'n') {
        literal += next == 't' ? '\t' : '\n';
        continue;
      }
      if (IsLetterOrDigit(next)) return std::nullopt;
      literal += next;
      continue;
    }
    if (IsMeta(pattern[i])) return std::nullopt;
    literal += pattern[i];
  }
  return literal;
}

}  // namespace tidemill
