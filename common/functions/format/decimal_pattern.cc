#include "common/functions/format/decimal_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/error.h"

namespace tidemill {

namespace {

constexpr std::string_view kDigitSigns = "#0,.";

arrow::Status BadPattern(std::string_view why, std::string_view pattern) {
  return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.DECIMAL_FORMAT",
                   fmt::format("The value of parameter(s) `expr2` in `format_number` is invalid: "
                               "{}: '{}'.",
                               why, pattern));
}

// Reads literal text up to a digit sign or `;`; quotes take signs literally.
std::string ReadAffix(std::string_view text, size_t* at, int* factor) {
  std::string affix;
  bool is_quoted = false;
  for (; *at < text.size(); ++*at) {
    const char c = text[*at];
    if (c == '\'') {
      if (*at + 1 < text.size() && text[*at + 1] == '\'') {
        affix += text[++*at];
      } else {
        is_quoted = !is_quoted;
      }
      continue;
    }
    if (!is_quoted && (c == ';' || kDigitSigns.find(c) != std::string_view::npos)) break;
    if (!is_quoted && c == '%') *factor = 100;
    affix += c;
  }
  return affix;
}

}  // namespace

DecimalPattern DecimalPattern::WithPlaces(int places) {
  DecimalPattern pattern;
  pattern.least_whole = 1;
  pattern.least_fraction = pattern.most_fraction = places;
  pattern.group = 3;
  return pattern;
}

arrow::Result<DecimalPattern> DecimalPattern::Parse(std::string_view text) {
  if (text.empty()) return WithPlaces(0);
  DecimalPattern pattern;
  size_t at = 0;
  pattern.prefix = ReadAffix(text, &at, &pattern.factor);
  bool is_behind = false, has_digits = false;
  int group = -1;
  for (; at < text.size() && kDigitSigns.find(text[at]) != std::string_view::npos; ++at) {
    const char c = text[at];
    if (c == '.') {
      if (is_behind) return BadPattern("there are two points", text);
      is_behind = true;
    } else if (c == ',') {
      if (is_behind) return BadPattern("a comma stands behind the point", text);
      group = 0;
    } else if (is_behind) {
      has_digits = true;
      if (c == '0' && pattern.least_fraction < pattern.most_fraction) {
        return BadPattern("a 0 follows a #", text);
      }
      ++pattern.most_fraction;
      if (c == '0') ++pattern.least_fraction;
    } else {
      has_digits = true;
      if (c == '0') ++pattern.least_whole;
      if (c == '#' && pattern.least_whole > 0) return BadPattern("a # follows a 0", text);
      if (group >= 0) ++group;
    }
  }
  if (!has_digits) return BadPattern("there are no digits", text);
  if (group == 0) return BadPattern("a comma ends the digits", text);
  pattern.group = std::max(group, 0);
  if (at < text.size() && text[at] == 'E') return BadPattern("exponents are not supported", text);
  pattern.suffix = ReadAffix(text, &at, &pattern.factor);
  pattern.negative_prefix = fmt::format("-{}", pattern.prefix);
  pattern.negative_suffix = pattern.suffix;
  if (at < text.size() && text[at] == ';') {
    ++at;
    int unused = 1;
    pattern.negative_prefix = ReadAffix(text, &at, &unused);
    while (at < text.size() && kDigitSigns.find(text[at]) != std::string_view::npos) ++at;
    pattern.negative_suffix = ReadAffix(text, &at, &unused);
  }
  if (at < text.size()) return BadPattern("the pattern goes on behind its end", text);
  if (pattern.least_whole == 0 && pattern.least_fraction == 0 && is_behind) {
    pattern.least_whole = 1;
  }
  return pattern;
}

std::string DecimalPattern::Format(std::string_view plain, bool is_negative) const {
  const size_t point = plain.find('.');
  std::string whole(plain.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : plain.substr(point + 1));
  while (static_cast<int>(fraction.size()) > least_fraction && fraction.back() == '0') {
    fraction.pop_back();
  }
  fraction.resize(std::max(static_cast<int>(fraction.size()), least_fraction), '0');
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (static_cast<int>(whole.size()) < least_whole) {
    whole.insert(0, least_whole - whole.size(), '0');
  }
  if (whole.empty() && fraction.empty()) whole = "0";
  std::string text = is_negative ? negative_prefix : prefix;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (group > 0 && i > 0 && (whole.size() - i) % group == 0) text += ',';
    text += whole[i];
  }
  if (!fraction.empty()) text.append(1, '.').append(fraction);
  return text + (is_negative ? negative_suffix : suffix);
}

}  // namespace tidemill
