#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/types/datetime_pattern/datetime_pattern.h"

namespace tidemill {

namespace {

constexpr std::string_view kWeekBased = "YWwuec";
constexpr std::string_view kUnsupported = "ABnNp";
constexpr std::string_view kOnlyForFormat = "EFqQ";
constexpr std::string_view kNoNarrowForm = "GMLEQq";
constexpr size_t kMaxYearLetters = 10;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool Contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

arrow::Status Unrecognized(std::string_view pattern) {
  return MakeError(ErrorKind::kInvalid, "INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
                   fmt::format("Unrecognized datetime pattern: {}. You can form a valid datetime "
                               "pattern with the guide from 'sql-ref-datetime-pattern.html'.",
                               pattern));
}

}  // namespace

// Cuts a pattern into items. One per pattern.
class PatternCompiler {
 public:
  using Field = DatetimePattern::Field;
  using Item = DatetimePattern::Item;

  PatternCompiler(std::string_view pattern, DatetimePattern::Use use)
      : pattern_(pattern), is_parsing_(use == DatetimePattern::Use::kParse) {}

  arrow::Result<std::shared_ptr<const DatetimePattern>> Compile() {
    size_t i = 0;
    while (i < pattern_.size()) {
      const char c = pattern_[i];
      if (IsLetter(c)) {
        size_t end = i;
        while (end < pattern_.size() && pattern_[end] == c) ++end;
        ARROW_RETURN_NOT_OK(AddLetters(c, end - i));
        i = end;
      } else if (c == '\'') {
        ARROW_ASSIGN_OR_RAISE(i, AddQuoted(i));
      } else if (c == '[' || c == ']') {
        ARROW_RETURN_NOT_OK(AddBracket(c));
        ++i;
      } else if (c == '{' || c == '}' || c == '#') {
        return Unrecognized(pattern_);
      } else {
        AddLiteral(std::string(1, c));
        ++i;
      }
    }
    // A section that is not closed ends with the pattern.
    while (!open_.empty()) ARROW_RETURN_NOT_OK(AddBracket(']'));
    if (is_parsing_) FindFixedShape();
    return std::make_shared<const DatetimePattern>(std::move(result_));
  }

 private:
  std::vector<Item>& items() { return result_.items_; }

  void Add(Item item) {
    if (item.is_number) {
      JoinNumbers(&item);
    } else {
      number_ = -1;
    }
    items().push_back(std::move(item));
  }

  // Numbers that touch: the first of variable width leaves to those of fixed width what they take.
  void JoinNumbers(Item* item) {
    const bool is_fixed = item->min_width == item->max_width && !item->is_signed;
    if (number_ >= 0 && is_fixed) {
      items()[number_].reserved += item->max_width;
    } else {
      number_ = static_cast<int>(items().size());
    }
  }

  void AddLiteral(std::string text) {
    Item item;
    item.literal = std::move(text);
    Add(std::move(item));
  }

  arrow::Result<size_t> AddQuoted(size_t begin) {
    std::string text;
    for (size_t i = begin + 1; i < pattern_.size(); ++i) {
      if (pattern_[i] != '\'') {
        text += pattern_[i];
      } else if (i + 1 < pattern_.size() && pattern_[i + 1] == '\'') {
        text += pattern_[i++];
      } else {
        AddLiteral(text.empty() ? "'" : text);
        return i + 1;
      }
    }
    return Unrecognized(pattern_);
  }

  arrow::Status AddBracket(char c) {
    Item item;
    if (c == '[') {
      item.field = Field::kOptionalBegin;
      open_.push_back(items().size());
    } else {
      if (open_.empty()) return Unrecognized(pattern_);
      item.field = Field::kOptionalEnd;
      items()[open_.back()].skip_to = static_cast<int>(items().size());
      open_.pop_back();
    }
    Add(std::move(item));
    return arrow::Status::OK();
  }

  arrow::Status CheckLetters(char c, size_t count) const {
    if (Contains(kWeekBased, c)) {
      return MakeError(ErrorKind::kInvalid,
                       "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
                       fmt::format("You may get a different result due to the upgrading to Spark "
                                   ">= 3.0: All week-based patterns are unsupported since Spark "
                                   "3.0, detected week-based character: {}. Please use the SQL "
                                   "function EXTRACT instead.",
                                   c));
    }
    if (Contains(kUnsupported, c) || (is_parsing_ && Contains(kOnlyForFormat, c))) {
      return MakeError(ErrorKind::kInvalid, "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
                       fmt::format("Unrecognized datetime pattern: {}. Illegal pattern character "
                                   "found in datetime pattern: {}. Please provide legal character.",
                                   pattern_, c));
    }
    if ((Contains(kNoNarrowForm, c) && count >= 5) || (c == 'y' && count > kMaxYearLetters)) {
      return MakeError(ErrorKind::kInvalid, "INVALID_DATETIME_PATTERN.LENGTH",
                       fmt::format("Unrecognized datetime pattern: {}. Too many letters in "
                                   "datetime pattern: {}. Please reduce pattern length.",
                                   pattern_, std::string(count, c)));
    }
    return arrow::Status::OK();
  }

  arrow::Status AddLetters(char c, size_t count) {
    ARROW_RETURN_NOT_OK(CheckLetters(c, count));
    Item item;
    item.count = static_cast<uint8_t>(count);
    const bool is_known = IsDateLetter(c, count, &item) || IsTimeLetter(c, count, &item) ||
                          IsZoneLetter(c, count, &item);
    if (!is_known) return Unrecognized(pattern_);
    Add(std::move(item));
    return arrow::Status::OK();
  }

  static bool SetName(Field field, Item* item) {
    item->field = field;
    item->is_text = true;
    return true;
  }

  // A number of one or two letters: one for as many digits as it has, two for two digits.
  static bool SetNumber(Field field, size_t count, Item* item) {
    if (count > 2) return false;
    item->field = field;
    item->is_number = true;
    item->min_width = static_cast<uint8_t>(count);
    item->max_width = count == 1 ? 19 : 2;
    item->is_signed = count == 1;
    return true;
  }

  bool SetYear(size_t count, Item* item) {
    item->is_number = true;
    item->min_width = static_cast<uint8_t>(count);
    if (count == 2) {
      item->field = Field::kYearOfTwo;
      item->max_width = 2;
      return true;
    }
    item->field = Field::kYear;
    item->max_width = 19;
    item->is_signed = true;
    item->exceeds_pad = count >= 4;
    return true;
  }

  bool IsDateLetter(char c, size_t count, Item* item) {
    switch (c) {
      case 'G':
        result_.has_era_ = true;
        return SetName(Field::kEra, item);
      case 'y':
        return SetYear(count, item);
      case 'M':
      case 'L':
        return count <= 2 ? SetNumber(Field::kMonth, count, item) : SetName(Field::kMonth, item);
      case 'd':
        return SetNumber(Field::kDayOfMonth, count, item);
      case 'D':
        if (count > 3) return false;
        SetNumber(Field::kDayOfYear, 1, item);
        item->min_width = static_cast<uint8_t>(count);
        if (count > 1) item->max_width = 3;
        item->is_signed = count == 1;
        return true;
      case 'F':
        return count == 1 && SetNumber(Field::kAlignedDay, count, item);
      case 'E':
        return SetName(Field::kDayOfWeek, item);
      case 'Q':
      case 'q':
        return count <= 2 ? SetNumber(Field::kQuarter, count, item)
                          : SetName(Field::kQuarter, item);
      default:
        return false;
    }
  }

  static bool IsTimeLetter(char c, size_t count, Item* item) {
    switch (c) {
      case 'a':
        return count == 1 && SetName(Field::kHalfDay, item);
      case 'h':
        return SetNumber(Field::kClockHourOfHalf, count, item);
      case 'H':
        return SetNumber(Field::kHourOfDay, count, item);
      case 'k':
        return SetNumber(Field::kClockHourOfDay, count, item);
      case 'K':
        return SetNumber(Field::kHourOfHalf, count, item);
      case 'm':
        return SetNumber(Field::kMinute, count, item);
      case 's':
        return SetNumber(Field::kSecond, count, item);
      case 'S':
        item->field = Field::kFraction;
        return count <= 9;
      default:
        return false;
    }
  }

  static bool IsZoneLetter(char c, size_t count, Item* item) {
    constexpr std::string_view kStyles[] = {"+HHmm", "+HHMM", "+HH:MM", "+HHMMss", "+HH:MM:ss"};
    switch (c) {
      case 'V':
        return count == 2 && SetName(Field::kZoneId, item);
      case 'z':
        return count <= 4 && SetName(Field::kZoneName, item);
      case 'O':
        return (count == 1 || count == 4) && SetName(Field::kLocalizedOffset, item);
      case 'X':
      case 'x':
        if (count > 5) return false;
        item->style = kStyles[count - 1];
        item->literal = c == 'X' ? "Z" : count == 1 ? "+00" : count % 2 == 0 ? "+0000" : "+00:00";
        break;
      case 'Z':
        if (count > 5) return false;
        if (count == 4) return SetName(Field::kLocalizedOffset, item);
        item->style = count < 4 ? kStyles[1] : kStyles[4];
        item->literal = count < 4 ? "+0000" : "Z";
        break;
      default:
        return false;
    }
    return SetName(Field::kOffset, item);
  }

  // The digits that a number has in the fixed shape, 0 for what cannot be part of one.
  static size_t FixedWidth(const Item& item) {
    switch (item.field) {
      case Field::kYear:
        return item.count == 4 ? 4 : 0;
      case Field::kYearOfTwo:
        return 2;
      case Field::kMonth:
      case Field::kDayOfMonth:
      case Field::kHourOfDay:
      case Field::kMinute:
      case Field::kSecond:
        return item.is_number && item.count == 2 ? 2 : 0;
      case Field::kFraction:
        return item.count;
      default:
        return 0;
    }
  }

  void FindFixedShape() {
    constexpr size_t kLongest = 64;
    DatetimePattern::FixedShape shape;
    uint32_t known = 0;
    for (size_t i = 0; i < items().size(); ++i) {
      const Item& item = items()[i];
      if (item.field == Field::kLiteral) {
        for (const char c : item.literal) {
          shape.chars.push_back({.at = static_cast<uint8_t>(shape.size++), .c = c});
        }
      } else {
        const size_t width = FixedWidth(item);
        // A year takes all digits that stand there, so none may follow.
        const bool is_bounded = item.field != Field::kYear || i + 1 == items().size() ||
                                items()[i + 1].field == Field::kLiteral;
        const auto field = item.field == Field::kYearOfTwo ? Field::kYear : item.field;
        const uint32_t bit = 1U << static_cast<size_t>(field);
        if (width == 0 || !is_bounded || (known & bit) != 0) return;
        known |= bit;
        shape.numbers.push_back({.field = item.field,
                                 .begin = static_cast<uint8_t>(shape.size),
                                 .width = static_cast<uint8_t>(width)});
        shape.size += width;
      }
      if (shape.size > kLongest) return;
    }
    const bool has_digit = std::any_of(shape.chars.begin(), shape.chars.end(),
                                       [](const auto& fixed) { return IsDigit(fixed.c); });
    if (!has_digit) result_.fixed_ = std::move(shape);
  }

  const std::string_view pattern_;
  const bool is_parsing_;
  DatetimePattern result_;
  std::vector<size_t> open_;  // sections
  int number_ = -1;           // the number that touches the next item, or -1
};

namespace {

// Whether Java's older formatter takes the pattern; Spark then says that its meaning has changed.
bool IsLegacyPattern(std::string_view pattern) {
  bool is_quoted = false;
  for (char c : pattern) {
    if (c == '\'') is_quoted = !is_quoted;
    if (!is_quoted && IsLetter(c) && !Contains("GyYMLwWDdFEuaHkKhmsSzZX", c)) return false;
  }
  return !is_quoted;
}

}  // namespace

arrow::Result<std::shared_ptr<const DatetimePattern>> DatetimePattern::Compile(
    std::string_view pattern, Use use) {
  auto compiled = PatternCompiler(pattern, use).Compile();
  if (compiled.ok() || !IsLegacyPattern(pattern)) return compiled;
  return MakeError(ErrorKind::kInvalid,
                   "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
                   fmt::format("You may get a different result due to the upgrading to Spark >= "
                               "3.0: Fail to recognize '{}' pattern in the DateTimeFormatter. You "
                               "can form a valid datetime pattern with the guide from "
                               "'sql-ref-datetime-pattern.html'.",
                               pattern));
}

}  // namespace tidemill
