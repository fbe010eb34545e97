#include "common/functions/format/number_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/error.h"

namespace tidemill {

namespace {

constexpr int kMaxPrecision = 38;

arrow::Status BadPattern(std::string_view subclass, std::string_view text, std::string_view why) {
  return MakeError(ErrorKind::kInvalid, fmt::format("INVALID_FORMAT.{}", subclass),
                   fmt::format("The format is invalid: '{}'. {}", text, why));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string UpperAscii(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return upper;
}

// A point that nothing follows becomes a blank.
void DropLonePoint(std::string* text) {
  if (text->ends_with('.')) text->back() = ' ';
}

}  // namespace

void NumberPattern::Tokenize(std::string_view text) {
  bool is_behind = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t begin = at++;
    const auto add = [&](Kind kind) {
      tokens_.push_back({kind, {}, std::string(text.substr(begin, at - begin))});
    };
    if (c == '0' || c == '9' || c == ',' || c == 'G') {
      Token token{Kind::kDigits, {}, ""};
      bool after_comma = c == ',' || c == 'G';
      if (after_comma) at = begin;
      bool is_first = true;
      while (at <= text.size()) {
        if (!is_first || after_comma) {
          if (at >= text.size() || (text[at] != ',' && text[at] != 'G')) break;
          has_late_comma_ |= is_behind;
          ++at;
          has_lone_comma_ |= is_first || at >= text.size() || (text[at] != '0' && text[at] != '9');
        } else {
          at = begin;
        }
        Run run{0, at < text.size() && text[at] == '0'};
        while (at < text.size() && (text[at] == '0' || text[at] == '9')) ++run.size, ++at;
        if (run.size > 0) token.runs.push_back(run);
        (is_behind ? fraction_digits_ : whole_digits_) += run.size;
        is_first = after_comma = false;
      }
      token.text = text.substr(begin, at - begin);
      tokens_.push_back(std::move(token));
    } else if (c == '.' || c == 'D') {
      is_behind = true;
      add(Kind::kPoint);
    } else if (c == '$') {
      add(Kind::kDollar);
    } else if (c == 'S') {
      add(Kind::kSign);
    } else if (text.substr(begin, 2) == "MI") {
      ++at;
      add(Kind::kMinus);
    } else if (text.substr(begin, 2) == "PR") {
      ++at;
      tokens_.insert(tokens_.begin(), {Kind::kOpen, {}, ""});
      add(Kind::kClose);
    } else {
      add(Kind::kUnknown);
    }
  }
}

arrow::Status NumberPattern::Check(std::string_view text) const {
  const auto first = [&](Kind kind) {
    return std::find_if(tokens_.begin(), tokens_.end(),
                        [&](const Token& token) { return token.kind == kind; });
  };
  if (text.empty()) {
    return BadPattern("EMPTY", text, "The number format string cannot be empty.");
  }
  if (whole_digits_ + fraction_digits_ == 0) {
    return BadPattern("WRONG_NUM_DIGIT", text,
                      "The format string requires at least one number digit.");
  }
  const auto dollar = first(Kind::kDollar);
  if (dollar != tokens_.end() && dollar > first(Kind::kDigits)) {
    return BadPattern("CUR_MUST_BEFORE_DIGIT", text,
                      "Currency characters must appear before digits in the number format.");
  }
  if (dollar != tokens_.end() && dollar > first(Kind::kPoint)) {
    return BadPattern("CUR_MUST_BEFORE_DEC", text,
                      "Currency characters must appear before any decimal point in the number "
                      "format.");
  }
  if (has_late_comma_) {
    return BadPattern("THOUSANDS_SEPS_MUST_BEFORE_DEC", text,
                      "Thousands separators (, or G) may not appear after the decimal point in "
                      "the number format.");
  }
  if (has_lone_comma_) {
    return BadPattern("CONT_THOUSANDS_SEPS", text,
                      "Thousands separators (, or G) must have digits in between them in the "
                      "number format.");
  }
  for (const Kind kind : {Kind::kPoint, Kind::kSign, Kind::kDollar, Kind::kMinus, Kind::kClose}) {
    const auto count = std::count_if(tokens_.begin(), tokens_.end(),
                                     [&](const Token& token) { return token.kind == kind; });
    if (count > 1) {
      return BadPattern(
          "WRONG_NUM_TOKEN", text,
          fmt::format("The format string requires at most one {}.", first(kind)->text));
    }
  }
  return CheckOrder(text);
}

// [MI | S] [$] digits [. digits] [PR | MI | S]
arrow::Status NumberPattern::CheckOrder(std::string_view text) const {
  size_t at = 0;
  const auto accept = [&](std::initializer_list<Kind> kinds) {
    const bool is_there = at < tokens_.size() &&
                          std::find(kinds.begin(), kinds.end(), tokens_[at].kind) != kinds.end();
    at += is_there ? 1 : 0;
  };
  accept({Kind::kOpen});
  accept({Kind::kMinus, Kind::kSign});
  accept({Kind::kDollar});
  accept({Kind::kDigits});
  accept({Kind::kPoint});
  accept({Kind::kDigits});
  accept({Kind::kMinus, Kind::kSign, Kind::kClose});
  if (at == tokens_.size()) return arrow::Status::OK();
  return BadPattern("UNEXPECTED_TOKEN", text,
                    fmt::format("Found the unexpected {} in the format string; the structure of "
                                "the format string must match: `[MI|S]` `[$]` "
                                "`[0|9|G|,]*` `[.|D]` `[0|9]*` `[$]` `[PR|MI|S]`.",
                                tokens_[at].text));
}

arrow::Result<NumberPattern> NumberPattern::Parse(std::string_view text) {
  NumberPattern pattern;
  pattern.Tokenize(UpperAscii(text));
  ARROW_RETURN_NOT_OK(pattern.Check(text));
  return pattern;
}

int NumberPattern::precision() const {
  return std::min(whole_digits_ + fraction_digits_, kMaxPrecision);
}

// Groups between commas are compared from the right: each has at most, or exactly, the digits of
// its run.
bool NumberPattern::ReadWhole(std::string_view text, size_t* at, std::string* digits) const {
  std::vector<int> groups = {0};
  for (; *at < text.size(); ++*at) {
    const char c = text[*at];
    if (IsDigit(c)) {
      *digits += c;
      ++groups.back();
    } else if (c == ',') {
      groups.push_back(0);
    } else if (!IsBlank(c)) {
      break;
    }
  }
  const auto token = std::find_if(tokens_.begin(), tokens_.end(), [](const Token& candidate) {
    return candidate.kind == Kind::kDigits;
  });
  const std::vector<Run>& runs = token->runs;
  if (groups.size() > runs.size()) return false;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[runs.size() - 1 - i];
    const int size = i < groups.size() ? groups[groups.size() - 1 - i] : 0;
    if (size > run.size || (run.is_exact && size < run.size)) return false;
  }
  return true;
}

bool NumberPattern::ReadFraction(std::string_view text, size_t* at, std::string* digits) const {
  int count = 0;
  for (; *at < text.size() && (IsDigit(text[*at]) || IsBlank(text[*at])); ++*at) {
    if (IsBlank(text[*at])) continue;
    *digits += text[*at];
    ++count;
  }
  if (count > fraction_digits_) return false;
  digits->append(fraction_digits_ - count, '0');
  return true;
}

bool NumberPattern::Read(std::string_view text, __int128* out) const {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  size_t at = 0;
  bool is_negative = false, is_open = false, is_behind = false, has_point = false;
  std::string digits;
  bool has_digit = false;
  const auto accept = [&](char c) {
    const bool is_there = at < text.size() && text[at] == c;
    at += is_there ? 1 : 0;
    return is_there;
  };
  for (const Token& token : tokens_) {
    switch (token.kind) {
      case Kind::kDigits: {
        const size_t begin = at;
        if (!is_behind && !ReadWhole(text, &at, &digits)) return false;
        if (has_point && !ReadFraction(text, &at, &digits)) return false;
        has_digit |= std::any_of(text.begin() + begin, text.begin() + at, IsDigit);
        break;
      }
      case Kind::kPoint:
        is_behind = true;
        has_point = accept('.');
        break;
      case Kind::kDollar:
        if (!accept('$')) return false;
        break;
      case Kind::kSign:
        if (!accept('+')) is_negative |= accept('-');
        break;
      case Kind::kMinus:
        is_negative |= accept('-');
        break;
      case Kind::kOpen:
        is_open = accept('<');
        is_negative |= is_open;
        break;
      case Kind::kClose:
        if (accept('>') != is_open) return false;
        break;
      case Kind::kUnknown:
        return false;
    }
  }
  if (at < text.size() || !has_digit) return false;
  if (!has_point) digits.append(fraction_digits_, '0');
  __int128 value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  *out = is_negative ? -value : value;
  return true;
}

void NumberPattern::WriteWhole(const std::vector<Run>& runs, std::string_view digits, bool fits,
                               std::string* out) const {
  int missing = whole_digits_ - static_cast<int>(digits.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) *out += !out->empty() && IsDigit(out->back()) ? ',' : ' ';
    for (int slot = 0; slot < runs[i].size; ++slot) {
      if (!fits) {
        *out += '#';
      } else if (missing > 0) {
        *out += runs[i].is_exact ? '0' : ' ';
        --missing;
      } else {
        *out += digits.front();
        digits.remove_prefix(1);
      }
    }
  }
}

std::string NumberPattern::Write(__int128 value, int scale) const {
  const bool is_negative = value < 0;
  std::string digits;
  for (auto rest = static_cast<unsigned __int128>(is_negative ? -value : value); rest > 0;
       rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (static_cast<int>(digits.size()) < scale) digits.insert(0, scale - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - scale);
  std::string whole = digits.substr(0, digits.size() - scale);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  const bool fits = static_cast<int>(whole.size()) <= whole_digits_ &&
                    static_cast<int>(fraction.size()) <= fraction_digits_;
  fraction.resize(fraction_digits_, '0');

  std::string out;
  bool is_behind = false, has_sign_first = false;
  for (const Token& token : tokens_) {
    switch (token.kind) {
      case Kind::kDigits:
        if (is_behind) {
          out += fits ? fraction : std::string(fraction_digits_, '#');
        } else {
          WriteWhole(token.runs, whole, fits, &out);
        }
        break;
      case Kind::kPoint:
        if (!out.empty() && out.back() == ' ') out.back() = '0';
        out += '.';
        is_behind = true;
        break;
      case Kind::kDollar:
        out += '$';
        break;
      case Kind::kSign:
      case Kind::kMinus:
        DropLonePoint(&out);
        has_sign_first |= out.empty();
        out += is_negative ? '-' : token.kind == Kind::kSign ? '+' : ' ';
        break;
      case Kind::kOpen:
        has_sign_first = is_negative;
        if (is_negative) out += '<';
        break;
      case Kind::kClose:
        DropLonePoint(&out);
        out += is_negative ? ">" : "  ";
        break;
      case Kind::kUnknown:
        break;
    }
  }
  DropLonePoint(&out);
  // A sign at the beginning stands right before the number.
  const size_t number = out.find_first_not_of(' ', 1);
  if (has_sign_first && number != std::string::npos && number > 1) {
    std::rotate(out.begin(), out.begin() + 1, out.begin() + number);
  }
  return out;
}

}  // namespace tidemill
