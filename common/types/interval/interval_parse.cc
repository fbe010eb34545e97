#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "common/base/error.h"
#include "common/types/civil_time.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

constexpr std::string_view kPrefix = "interval";
constexpr int kFractionDigits = 9;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// As Java's Character.isWhitespace, for ASCII.
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F); }
bool IsTrimmed(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }

enum class Field { kMonths, kDays, kMicros };

struct Unit {
  std::string_view name;
  Field field;
  int64_t factor;
};

// "millisecond" and "microsecond" do not begin with another unit's name, so order is free.
constexpr std::array<Unit, 9> kUnits = {{
    {"year", Field::kMonths, 12},
    {"month", Field::kMonths, 1},
    {"week", Field::kDays, 7},
    {"day", Field::kDays, 1},
    {"hour", Field::kMicros, 3600 * kMicrosPerSecond},
    {"minute", Field::kMicros, 60 * kMicrosPerSecond},
    {"second", Field::kMicros, kMicrosPerSecond},
    {"millisecond", Field::kMicros, 1000},
    {"microsecond", Field::kMicros, 1},
}};

// One number of the text with its fraction, as written.
struct Number {
  bool is_negative = false;
  int64_t whole = 0;
  bool has_fraction = false;
  int64_t fraction_us = 0;
};

bool AddTo(int32_t* sum, int64_t value) {
  int64_t total = 0;
  if (__builtin_add_overflow(int64_t{*sum}, value, &total)) return false;
  *sum = static_cast<int32_t>(total);
  return *sum == total;
}

// Adds number * unit; false where it does not fit.
bool AddUnit(const Number& number, const Unit& unit, Interval* out) {
  const int64_t sign = number.is_negative ? -1 : 1;
  int64_t value = 0;
  if (__builtin_mul_overflow(number.whole * sign, unit.factor, &value)) return false;
  switch (unit.field) {
    case Field::kMonths:
      return AddTo(&out->months, value);
    case Field::kDays:
      return AddTo(&out->days, value);
    case Field::kMicros:
      break;
  }
  return !__builtin_add_overflow(out->microseconds, value, &out->microseconds) &&
         !__builtin_add_overflow(out->microseconds, number.fraction_us * sign, &out->microseconds);
}

// Walks over a text in lower case without blanks around it.
class IntervalReader {
 public:
  IntervalReader(std::string_view input, std::string_view text) : input_(input), text_(text) {}

  arrow::Result<Interval> Read() {
    if (text_.empty()) return Fail("INPUT_IS_EMPTY", "Interval string cannot be empty.");
    ARROW_RETURN_NOT_OK(SkipPrefix());
    Interval interval;
    for (SkipBlanks(); !AtEnd(); SkipBlanks()) {
      ARROW_ASSIGN_OR_RAISE(const Number number, ReadNumber());
      ARROW_RETURN_NOT_OK(ReadUnit(number, &interval));
    }
    return interval;
  }

 private:
  bool AtEnd() const { return pos_ == text_.size(); }
  void SkipBlanks() {
    while (!AtEnd() && IsBlank(text_[pos_])) ++pos_;
  }

  arrow::Status Fail(std::string_view subclass, std::string_view reason) const {
    return MakeError(
        ErrorKind::kInvalid, fmt::format("INVALID_INTERVAL_FORMAT.{}", subclass),
        fmt::format("Error parsing '{}' to interval. Please ensure that the value provided is in a "
                    "valid format for defining an interval. You can reference the documentation "
                    "for the correct format. {}",
                    input_, reason));
  }

  // The word that the current byte is in, or the last one.
  std::string Word() const {
    size_t end = pos_;
    size_t begin = pos_;
    if (AtEnd() || IsBlank(text_[pos_])) {
      while (begin > 0 && IsBlank(text_[begin - 1])) --begin;
      end = begin;
    }
    while (begin > 0 && !IsBlank(text_[begin - 1])) --begin;
    while (end < text_.size() && !IsBlank(text_[end])) ++end;
    return fmt::format("'{}'", text_.substr(begin, end - begin));
  }

  arrow::Status SkipPrefix() {
    if (!text_.starts_with(kPrefix)) return arrow::Status::OK();
    if (text_.size() == kPrefix.size()) {
      return Fail("INPUT_IS_EMPTY", "Interval string cannot be empty.");
    }
    if (!IsBlank(text_[kPrefix.size()])) {
      return Fail("INVALID_PREFIX", fmt::format("Invalid interval prefix {}.", Word()));
    }
    pos_ = kPrefix.size() + 1;
    return arrow::Status::OK();
  }

  arrow::Result<Number> ReadNumber() {
    Number number;
    const char first = text_[pos_];
    if (first == '-' || first == '+') {
      number.is_negative = first == '-';
      ++pos_;
      SkipBlanks();
      if (AtEnd()) {
        return Fail("MISSING_NUMBER", fmt::format("Expect a number after {} but hit EOL.", Word()));
      }
    } else if (!IsDigit(first) && first != '.') {
      return Fail("UNRECOGNIZED_NUMBER", fmt::format("Unrecognized number {}.", Word()));
    }
    const size_t begin = pos_;
    for (; !AtEnd() && IsDigit(text_[pos_]); ++pos_) {
      if (__builtin_mul_overflow(number.whole, int64_t{10}, &number.whole) ||
          __builtin_add_overflow(number.whole, int64_t{text_[pos_] - '0'}, &number.whole)) {
        return Overflow();
      }
    }
    if (!AtEnd() && text_[pos_] == '.') ARROW_RETURN_NOT_OK(ReadFraction(begin, &number));
    if (AtEnd()) {
      return Fail("MISSING_UNIT", fmt::format("Expect a unit name after {} but hit EOL.", Word()));
    }
    if (!IsBlank(text_[pos_])) {
      return Fail("INVALID_VALUE", fmt::format("Invalid value {}.", Word()));
    }
    SkipBlanks();
    return number;
  }

  // `begin` is where the digits before the point stand.
  arrow::Status ReadFraction(size_t begin, Number* number) {
    const bool is_prefixed = begin == pos_;
    const size_t first = ++pos_;
    int64_t nanos = 0;
    int64_t scale = 100'000'000;
    for (; !AtEnd() && IsDigit(text_[pos_]); ++pos_, scale /= 10) {
      if (pos_ - first == kFractionDigits) {
        return Fail("INVALID_PRECISION",
                    fmt::format("Interval can only support nanosecond precision, {} is out of "
                                "range.",
                                Word()));
      }
      nanos += (text_[pos_] - '0') * scale;
    }
    if (is_prefixed && pos_ == first && !AtEnd()) {
      return Fail("INVALID_VALUE", fmt::format("Invalid value {}.", Word()));
    }
    number->has_fraction = true;
    number->fraction_us = nanos / 1000;
    return arrow::Status::OK();
  }

  arrow::Status Overflow() const {
    return Fail("ARITHMETIC_EXCEPTION",
                fmt::format("Uncaught arithmetic exception while parsing '{}'.", input_));
  }

  arrow::Status ReadUnit(const Number& number, Interval* interval) {
    if (number.has_fraction && text_[pos_] != 's') {
      return Fail("INVALID_FRACTION", fmt::format("{} cannot have fractional part.", Word()));
    }
    const std::string_view rest = text_.substr(pos_);
    for (const Unit& unit : kUnits) {
      if (!rest.starts_with(unit.name)) continue;
      if (!AddUnit(number, unit, interval)) return Overflow();
      pos_ += unit.name.size();
      if (!AtEnd() && text_[pos_] == 's') ++pos_;
      if (AtEnd() || IsBlank(text_[pos_])) return arrow::Status::OK();
      break;
    }
    return Fail("INVALID_UNIT", fmt::format("Invalid unit {}.", Word()));
  }

  const std::string_view input_;
  const std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

arrow::Result<Interval> ParseInterval(std::string_view text) {
  std::string_view trimmed = text;
  while (!trimmed.empty() && IsTrimmed(trimmed.front())) trimmed.remove_prefix(1);
  while (!trimmed.empty() && IsTrimmed(trimmed.back())) trimmed.remove_suffix(1);
  std::string lower(trimmed);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return IntervalReader(text, lower).Read();
}

}  // namespace tidemill
