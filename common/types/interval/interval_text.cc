#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <iterator>
#include <limits>
#include <utility>

#include "common/types/civil_time.h"
#include "common/types/interval/interval.h"
#include "common/types/time_text.h"

namespace tidemill {

namespace {

constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int64_t MicrosOf(IntervalField field) {
  switch (field) {
    case IntervalField::kDay:
      return kMicrosPerDay;
    case IntervalField::kHour:
      return kMicrosPerHour;
    case IntervalField::kMinute:
      return kMicrosPerMinute;
    default:
      return kMicrosPerSecond;
  }
}

IntervalField Next(IntervalField field) {
  return static_cast<IntervalField>(static_cast<int>(field) + 1);
}

// Walks over the fields of an interval text.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  bool TakeChar(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool TakeSign() {
    if (TakeChar('-')) return true;
    TakeChar('+');
    return false;
  }

  bool TakeDigits(size_t most, int64_t* value) {
    size_t size = 0;
    *value = 0;
    for (; size < text_.size() && IsDigit(text_[size]); ++size) {
      if (size == most) return false;
      *value = *value * 10 + (text_[size] - '0');
    }
    text_.remove_prefix(size);
    return size > 0;
  }

  // ".123456789" in microseconds; 0 where no point follows.
  bool TakeFraction(int64_t* micros) {
    *micros = 0;
    if (!TakeChar('.')) return true;
    size_t size = 0;
    for (int64_t scale = 100'000'000; size < text_.size() && IsDigit(text_[size]); ++size) {
      if (size == 9) return false;
      *micros += (text_[size] - '0') * scale;
      scale /= 10;
    }
    *micros /= 1000;
    text_.remove_prefix(size);
    return size > 0;
  }

  bool AtEnd() const { return text_.empty(); }

 private:
  std::string_view text_;
};

std::optional<int64_t> ReadYearMonth(FieldReader reader, IntervalRange range) {
  const bool is_negative = reader.TakeSign();
  int64_t months = 0;
  int64_t value = 0;
  if (!reader.TakeDigits(9, &value)) return std::nullopt;
  months = range.first == IntervalField::kYear ? value * 12 : value;
  if (range.first != range.last) {
    if (!reader.TakeChar('-') || !reader.TakeDigits(2, &value) || value > 11) return std::nullopt;
    months += value;
  }
  if (is_negative) months = -months;
  if (!reader.AtEnd() || months != static_cast<int32_t>(months)) return std::nullopt;
  return months;
}

std::optional<int64_t> ReadDayTime(FieldReader reader, IntervalRange range) {
  const bool is_negative = reader.TakeSign();
  int64_t micros = 0;
  for (IntervalField field = range.first;; field = Next(field)) {
    const bool is_first = field == range.first;
    if (!is_first && !reader.TakeChar(field == IntervalField::kHour ? ' ' : ':')) {
      return std::nullopt;
    }
    int64_t value = 0;
    if (!reader.TakeDigits(is_first ? 13 : 2, &value)) return std::nullopt;
    if (!is_first && value > (field == IntervalField::kHour ? 23 : 59)) return std::nullopt;
    if (__builtin_mul_overflow(value, MicrosOf(field), &value) ||
        __builtin_add_overflow(micros, value, &micros)) {
      return std::nullopt;
    }
    if (field == range.last) break;
  }
  int64_t fraction = 0;
  if (range.last == IntervalField::kSecond && !reader.TakeFraction(&fraction)) return std::nullopt;
  if (!reader.AtEnd() || __builtin_add_overflow(micros, fraction, &micros)) return std::nullopt;
  return is_negative ? -micros : micros;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(text[i])) != upper[i]) return false;
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// "05.5": two digits at least before the point, no zeros at the end.
void AppendSeconds(uint64_t micros, int digits, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{:0{}}", micros / kMicrosPerSecond, digits);
  auto fraction = static_cast<uint32_t>(micros % kMicrosPerSecond);
  if (fraction == 0) return;
  int size = 6;
  for (; fraction % 10 == 0; fraction /= 10) --size;
  *out += '.';
  AppendPadded(fraction, size, out);
}

void AppendDayTime(int64_t micros, IntervalRange range, std::string* out) {
  // Unsigned, so that the smallest value can be negated.
  uint64_t rest = micros < 0 ? 0 - static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  if (micros < 0) *out += '-';
  for (IntervalField field = range.first;; field = Next(field)) {
    if (field != range.first) *out += field == IntervalField::kHour ? ' ' : ':';
    const auto unit = static_cast<uint64_t>(MicrosOf(field));
    if (field == IntervalField::kSecond) {
      AppendSeconds(rest, 2, out);
    } else {
      fmt::format_to(std::back_inserter(*out), "{:0{}}", rest / unit,
                     field == IntervalField::kDay ? 1 : 2);
    }
    rest %= unit;
    if (field == range.last) return;
  }
}

void AppendYearMonth(int64_t months, IntervalRange range, std::string* out) {
  if (months < 0) *out += '-';
  const int64_t size = months < 0 ? -months : months;
  if (range.first == IntervalField::kMonth) {
    *out += std::to_string(size);
  } else if (range.last == IntervalField::kYear) {
    *out += std::to_string(size / 12);
  } else {
    fmt::format_to(std::back_inserter(*out), "{}-{}", size / 12, size % 12);
  }
}

}  // namespace

std::shared_ptr<arrow::DataType> YearMonthIntervalType() { return arrow::month_interval(); }
std::shared_ptr<arrow::DataType> DayTimeIntervalType() {
  static const auto type = arrow::duration(arrow::TimeUnit::MICRO);
  return type;
}
std::shared_ptr<arrow::DataType> DayIntervalType() {
  static const auto type = arrow::duration(arrow::TimeUnit::SECOND);
  return type;
}
std::shared_ptr<arrow::DataType> CalendarIntervalType() { return arrow::month_day_nano_interval(); }

bool IsYearMonthInterval(const arrow::DataType& type) {
  return type.id() == arrow::Type::INTERVAL_MONTHS;
}
bool IsDayTimeInterval(const arrow::DataType& type) { return type.id() == arrow::Type::DURATION; }
bool IsDayInterval(const arrow::DataType& type) {
  return IsDayTimeInterval(type) &&
         static_cast<const arrow::DurationType&>(type).unit() == arrow::TimeUnit::SECOND;
}
bool IsCalendarInterval(const arrow::DataType& type) {
  return type.id() == arrow::Type::INTERVAL_MONTH_DAY_NANO;
}
bool IsIntervalType(const arrow::DataType& type) {
  return IsYearMonthInterval(type) || IsDayTimeInterval(type) || IsCalendarInterval(type);
}

std::string_view IntervalFieldName(IntervalField field) {
  constexpr std::array<std::string_view, 6> kNames = {"YEAR", "MONTH",  "DAY",
                                                      "HOUR", "MINUTE", "SECOND"};
  return kNames[static_cast<int>(field)];
}

std::string IntervalRangeName(IntervalRange range) {
  if (range.first == range.last) return std::string(IntervalFieldName(range.first));
  return fmt::format("{} TO {}", IntervalFieldName(range.first), IntervalFieldName(range.last));
}

std::optional<int64_t> ParseIntervalFields(std::string_view text, IntervalRange range) {
  const FieldReader reader(Trim(text));
  return range.is_year_month() ? ReadYearMonth(reader, range) : ReadDayTime(reader, range);
}

std::optional<int64_t> ParseIntervalValue(std::string_view text, IntervalRange range) {
  text = Trim(text);
  constexpr std::string_view kKeyword = "INTERVAL";
  if (text.size() <= kKeyword.size() ||
      !EqualsIgnoringCase(text.substr(0, kKeyword.size()), kKeyword)) {
    return ParseIntervalFields(text, range);
  }
  text = Trim(text.substr(kKeyword.size()));
  FieldReader reader(text);
  const bool is_negative = reader.TakeSign();
  const size_t open = text.find('\'');
  const size_t close = text.rfind('\'');
  if (open > 1 || close == open) return std::nullopt;
  if (!EqualsIgnoringCase(Trim(text.substr(close + 1)), IntervalRangeName(range))) {
    return std::nullopt;
  }
  auto value = ParseIntervalFields(text.substr(open + 1, close - open - 1), range);
  if (value && is_negative) value = -*value;
  return value;
}

void AppendIntervalText(int64_t value, IntervalRange range, std::string* out) {
  *out += "INTERVAL '";
  if (range.is_year_month()) {
    AppendYearMonth(value, range, out);
  } else {
    AppendDayTime(value, range, out);
  }
  *out += "' ";
  *out += IntervalRangeName(range);
}

void AppendCalendarIntervalText(const Interval& value, std::string* out) {
  if (value == Interval{}) {
    *out += "0 seconds";
    return;
  }
  const size_t begin = out->size();
  auto append = [&](int64_t count, std::string_view unit) {
    if (count == 0) return;
    fmt::format_to(std::back_inserter(*out), "{}{} {}", out->size() > begin ? " " : "", count,
                   unit);
  };
  append(value.months / 12, "years");
  append(value.months % 12, "months");
  append(value.days, "days");
  append(value.microseconds / kMicrosPerHour, "hours");
  const int64_t rest = value.microseconds % kMicrosPerHour;
  append(rest / kMicrosPerMinute, "minutes");
  const int64_t micros = rest % kMicrosPerMinute;
  if (micros == 0) return;
  if (out->size() > begin) *out += ' ';
  if (micros < 0) *out += '-';
  AppendSeconds(static_cast<uint64_t>(micros < 0 ? -micros : micros), 1, out);
  *out += " seconds";
}

}  // namespace tidemill
