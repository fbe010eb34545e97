#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/types/civil_time.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The field that a unit counts in: weeks are days, milliseconds are seconds.
std::optional<IntervalField> FieldOf(std::string unit) {
  if (unit.ends_with('s')) unit.pop_back();
  if (unit == "week") return IntervalField::kDay;
  if (unit == "millisecond" || unit == "microsecond") return IntervalField::kSecond;
  for (int i = 0; i <= static_cast<int>(IntervalField::kSecond); ++i) {
    const auto field = static_cast<IntervalField>(i);
    if (unit == AsciiLower(IntervalFieldName(field))) return field;
  }
  return std::nullopt;
}

arrow::Status Invalid(std::string_view subclass, std::string_view text, std::string_view reason) {
  return MakeError(ErrorKind::kInvalid, fmt::format("INVALID_INTERVAL_FORMAT.{}", subclass),
                   fmt::format("Error parsing '{}' to interval. Please ensure that the value "
                               "provided is in a valid format for defining an interval. You can "
                               "reference the documentation for the correct format. {}",
                               text, reason));
}

// A literal cut into words; a quoted value is one word without its quotes.
struct Word {
  std::string text;
  bool is_quoted = false;
};

std::vector<Word> WordsOf(std::string_view text) {
  std::vector<Word> words;
  size_t i = 0;
  while (i < text.size()) {
    if (IsBlank(text[i])) {
      ++i;
    } else if (text[i] == '\'' || text[i] == '"') {
      const size_t end = std::min(text.find(text[i], i + 1), text.size());
      words.push_back({std::string(text.substr(i + 1, end - i - 1)), true});
      i = end + 1;
    } else if (text[i] == '-' || text[i] == '+') {
      words.push_back({std::string(1, text[i++]), false});
    } else {
      size_t end = i;
      while (end < text.size() && !IsBlank(text[end]) && text[end] != '\'' && text[end] != '"') {
        ++end;
      }
      words.push_back({AsciiLower(text.substr(i, end - i)), false});
      i = end;
    }
  }
  return words;
}

// [sign] 'value' unit TO unit
arrow::Result<IntervalLiteral> FromTo(std::string_view text, const std::vector<Word>& words) {
  const auto first = FieldOf(words[words.size() - 3].text);
  const auto last = FieldOf(words.back().text);
  if (!first || !last || *first >= *last ||
      (*first <= IntervalField::kMonth) != (*last <= IntervalField::kMonth)) {
    return Invalid("UNSUPPORTED_FROM_TO_EXPRESSION", text,
                   fmt::format("Cannot support (interval {}) expression.", text));
  }
  IntervalLiteral literal;
  literal.range = {*first, *last};
  const Word& value = words[words.size() - 4];
  const auto parsed = ParseIntervalFields(value.text, literal.range);
  if (!parsed) {
    return Invalid(literal.range.is_year_month() ? "UNMATCHED_FORMAT_STRING"
                                                 : "UNMATCHED_FORMAT_STRING_WITH_NOTICE",
                   value.text,
                   fmt::format("Interval string does not match {} format when cast to interval "
                               "{}: {}.",
                               literal.range.is_year_month() ? "year-month" : "day-time",
                               AsciiLower(IntervalRangeName(literal.range)), value.text));
  }
  literal.value = words[0].text == "-" && !words[0].is_quoted ? -*parsed : *parsed;
  return literal;
}

// The fields that the units of "1 day 2 hours" name.
std::optional<IntervalRange> RangeOf(std::string_view text) {
  std::optional<IntervalRange> range;
  for (const Word& word : WordsOf(text)) {
    const auto field = FieldOf(word.text);
    if (!field) continue;
    if (!range) range = IntervalRange{*field, *field};
    range->first = std::min(range->first, *field);
    range->last = std::max(range->last, *field);
  }
  return range;
}

}  // namespace

arrow::Result<IntervalLiteral> ParseIntervalLiteral(std::string_view text) {
  const std::vector<Word> words = WordsOf(text);
  if (words.size() >= 4 && words[words.size() - 2].text == "to") return FromTo(text, words);
  std::string units;
  for (const Word& word : words) {
    const bool is_signed = !units.empty() && (units.ends_with('-') || units.ends_with('+'));
    if (!units.empty() && !is_signed) units += ' ';
    // -'-5' DAY is 5 days.
    if (is_signed && word.is_quoted && word.text.starts_with('-')) {
      const bool was_negative = units.ends_with('-');
      units.pop_back();
      units += (was_negative ? "+" : "-") + word.text.substr(1);
      continue;
    }
    units += word.text;
  }
  ARROW_ASSIGN_OR_RAISE(const Interval value, ParseInterval(units));
  const auto range = RangeOf(units);
  if (!range) return Invalid("INPUT_IS_EMPTY", text, "Interval string cannot be empty.");
  IntervalLiteral literal;
  literal.range = *range;
  if (literal.range.is_year_month() != (literal.range.last <= IntervalField::kMonth)) {
    return Invalid("MIXED_FIELDS", text, "Cannot mix year-month and day-time fields.");
  }
  literal.value = value.months;
  if (!literal.range.is_year_month() &&
      (__builtin_mul_overflow(int64_t{value.days}, kMicrosPerDay, &literal.value) ||
       __builtin_add_overflow(literal.value, value.microseconds, &literal.value))) {
    return Invalid("ARITHMETIC_EXCEPTION", text,
                   fmt::format("Uncaught arithmetic exception while parsing '{}'.", text));
  }
  return literal;
}

}  // namespace tidemill
