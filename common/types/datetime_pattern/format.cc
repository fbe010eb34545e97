#include <array>
#include <cstdlib>
#include <cstring>

#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/datetime_pattern/names.h"

namespace tidemill {

namespace {

// Powers of ten: the numbers of more than so many digits begin there. No year has more than ten.
constexpr auto kPowers = [] {
  std::array<int64_t, 12> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

}  // namespace

// Writes one instant, by way of a buffer, as appending to a string piece by piece costs more than
// the pieces. One per value.
class PatternFormatter {
 public:
  using Field = DatetimePattern::Field;
  using Item = DatetimePattern::Item;

  PatternFormatter(int64_t micros_utc, const TimeZone& zone, std::string* out)
      : zone_(zone), out_(out) {
    offset_ = UtcOffsetSeconds(zone, micros_utc);
    const int64_t local = micros_utc + offset_ * kMicrosPerSecond;
    days_ = FloorDiv(local, kMicrosPerDay);
    date_ = CivilFromDays(days_);
    const int64_t time = local - days_ * kMicrosPerDay;
    second_of_day_ = static_cast<int>(time / kMicrosPerSecond);
    micros_ = static_cast<int>(time % kMicrosPerSecond);
  }

  ~PatternFormatter() { out_->append(buffer_, size_); }
  PatternFormatter(const PatternFormatter&) = delete;
  PatternFormatter& operator=(const PatternFormatter&) = delete;

  void Write(const Item& item, bool has_era) {
    switch (item.field) {
      case Field::kLiteral:
        return Put(item.literal);
      case Field::kOptionalBegin:
      case Field::kOptionalEnd:
        return;
      case Field::kYear:
        return WriteYear(item, has_era);
      case Field::kYearOfTwo:
        return WriteNumber(YearSize(has_era) % 100, 2);
      case Field::kFraction:
        return WriteFraction(item.count);
      case Field::kOffset:
        return WriteOffset(item);
      case Field::kLocalizedOffset:
        return WriteLocalizedOffset(item.count == 4);
      case Field::kZoneId:
      case Field::kZoneName:
        return Put(TimeZoneName(zone_));
      default:
        break;
    }
    if (item.is_text) {
      WriteName(item);
    } else {
      WriteNumber(NumberOf(item.field), item.min_width);
    }
  }

 private:
  // No timestamp lies beyond the year 300,000.
  int64_t YearOf(bool has_era) const {
    return has_era && date_.year <= 0 ? 1 - date_.year : date_.year;
  }

  uint32_t YearSize(bool has_era) const { return static_cast<uint32_t>(std::abs(YearOf(has_era))); }

  int NumberOf(Field field) const {
    const int hour = second_of_day_ / 3600;
    switch (field) {
      case Field::kMonth:
        return date_.month;
      case Field::kDayOfMonth:
        return date_.day;
      case Field::kDayOfYear:
        return static_cast<int>(days_ - DaysFromCivil({date_.year, 1, 1})) + 1;
      case Field::kAlignedDay:
        return (date_.day - 1) % 7 + 1;
      case Field::kQuarter:
        return (date_.month + 2) / 3;
      case Field::kClockHourOfHalf:
        return hour % 12 == 0 ? 12 : hour % 12;
      case Field::kHourOfDay:
        return hour;
      case Field::kClockHourOfDay:
        return hour == 0 ? 24 : hour;
      case Field::kHourOfHalf:
        return hour % 12;
      case Field::kMinute:
        return second_of_day_ / 60 % 60;
      default:
        return second_of_day_ % 60;
    }
  }

  void Put(char c) {
    if (size_ == sizeof(buffer_)) Flush();
    buffer_[size_++] = c;
  }

  void Put(std::string_view text) {
    if (text.size() == 1) return Put(text[0]);
    if (text.size() > sizeof(buffer_) - size_) Flush();
    if (text.size() > sizeof(buffer_)) {
      out_->append(text);
      return;
    }
    std::memcpy(buffer_ + size_, text.data(), text.size());
    size_ += text.size();
  }

  void Flush() {
    out_->append(buffer_, size_);
    size_ = 0;
  }

  // At least `width` digits, zeros in front.
  void WriteNumber(uint32_t value, int width) {
    int count = width;
    while (value >= kPowers[count]) ++count;
    if (sizeof(buffer_) - size_ < kPowers.size()) Flush();
    for (char* to = buffer_ + size_ + count; to != buffer_ + size_; value /= 10) {
      *--to = static_cast<char>('0' + value % 10);
    }
    size_ += count;
  }

  void WriteYear(const Item& item, bool has_era) {
    const int64_t year = YearOf(has_era);
    if (year < 0) {
      Put('-');
    } else if (item.exceeds_pad) {
      if (year >= kPowers[item.min_width]) Put('+');
    }
    WriteNumber(YearSize(has_era), item.min_width);
  }

  void WriteFraction(int count) {
    WriteNumber(static_cast<uint32_t>(micros_ * 1000 / kPowers[9 - count]), count);
  }

  void WriteName(const Item& item) {
    constexpr std::string_view kQuarters[] = {"1st", "2nd", "3rd", "4th"};
    const bool is_full = item.count == 4;
    switch (item.field) {
      case Field::kEra:
        if (date_.year > 0) return Put(is_full ? "Anno Domini" : "AD");
        return Put(is_full ? "Before Christ" : "BC");
      case Field::kMonth:
        return WriteForm(kMonthNames[date_.month - 1], is_full);
      case Field::kDayOfWeek:
        return WriteForm(kDayNames[FloorMod(days_ + 3, 7)], is_full);
      case Field::kHalfDay:
        return Put(second_of_day_ < 43'200 ? "AM" : "PM");
      default: {
        const int quarter = (date_.month + 2) / 3;
        Put(is_full ? kQuarters[quarter - 1] : "Q");
        if (is_full) return Put(" quarter");
        WriteNumber(quarter, 1);
      }
    }
  }

  void WriteForm(std::string_view name, bool is_full) { Put(is_full ? name : name.substr(0, 3)); }

  // Styles: upper-case parts are always there, lower-case ones where they are not zero.
  void WriteOffset(const Item& item) {
    if (offset_ == 0) {
      Put(item.literal);
      return;
    }
    const int size = std::abs(offset_);
    const bool has_colon = item.style.find(':') != std::string::npos;
    Put(offset_ < 0 ? '-' : '+');
    WriteNumber(size / 3600, 2);
    const int minute = size / 60 % 60;
    if (item.style == "+HHmm" && minute == 0) return;
    if (has_colon) Put(':');
    WriteNumber(minute, 2);
    if (!item.style.ends_with("ss") || size % 60 == 0) return;
    if (has_colon) Put(':');
    WriteNumber(size % 60, 2);
  }

  void WriteLocalizedOffset(bool is_full) {
    Put("GMT");
    if (offset_ == 0) return;
    const int size = std::abs(offset_);
    Put(offset_ < 0 ? '-' : '+');
    WriteNumber(size / 3600, is_full ? 2 : 1);
    const bool has_seconds = size % 60 != 0;
    if (!is_full && size / 60 % 60 == 0 && !has_seconds) return;
    Put(':');
    WriteNumber(size / 60 % 60, 2);
    if (!has_seconds) return;
    Put(':');
    WriteNumber(size % 60, 2);
  }

  const TimeZone& zone_;
  std::string* const out_;
  int32_t offset_ = 0;
  int64_t days_ = 0;
  CivilDate date_;
  int second_of_day_ = 0;
  int micros_ = 0;
  size_t size_ = 0;  // of the buffer
  char buffer_[64];
};

void DatetimePattern::Format(int64_t micros_utc, const TimeZone& zone, std::string* out) const {
  PatternFormatter formatter(micros_utc, zone, out);
  for (const Item& item : items_) formatter.Write(item, has_era_);
}

}  // namespace tidemill
