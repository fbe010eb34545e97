#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "common/types/civil_time.h"
#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/datetime_pattern/names.h"

namespace tidemill {

// Writes one instant. One per value.
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

  void Write(const Item& item, bool has_era) {
    switch (item.field) {
      case Field::kLiteral:
        *out_ += item.literal;
        return;
      case Field::kOptionalBegin:
      case Field::kOptionalEnd:
        return;
      case Field::kYear:
        return WriteYear(item, has_era);
      case Field::kYearOfTwo:
        return WriteNumber(std::abs(YearOf(has_era)) % 100, 2);
      case Field::kFraction:
        return WriteFraction(item.count);
      case Field::kOffset:
        return WriteOffset(item);
      case Field::kLocalizedOffset:
        return WriteLocalizedOffset(item.count == 4);
      case Field::kZoneId:
      case Field::kZoneName:
        *out_ += TimeZoneName(zone_);
        return;
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
  int64_t YearOf(bool has_era) const {
    return has_era && date_.year <= 0 ? 1 - date_.year : date_.year;
  }

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

  void WriteNumber(int64_t value, int width) {
    fmt::format_to(std::back_inserter(*out_), "{:0{}}", value, width);
  }

  void WriteYear(const Item& item, bool has_era) {
    const int64_t year = YearOf(has_era);
    if (year < 0) {
      *out_ += '-';
    } else if (item.exceeds_pad) {
      int64_t limit = 1;
      for (int i = 0; i < item.min_width; ++i) limit *= 10;
      if (year >= limit) *out_ += '+';
    }
    WriteNumber(std::abs(year), item.min_width);
  }

  void WriteFraction(int count) {
    const std::string digits = fmt::format("{:06}000", micros_);
    out_->append(digits, 0, count);
  }

  void WriteName(const Item& item) {
    constexpr std::string_view kQuarters[] = {"1st", "2nd", "3rd", "4th"};
    const bool is_full = item.count == 4;
    switch (item.field) {
      case Field::kEra:
        *out_ +=
            date_.year > 0 ? (is_full ? "Anno Domini" : "AD") : (is_full ? "Before Christ" : "BC");
        return;
      case Field::kMonth:
        return WriteForm(kMonthNames[date_.month - 1], is_full);
      case Field::kDayOfWeek:
        return WriteForm(kDayNames[FloorMod(days_ + 3, 7)], is_full);
      case Field::kHalfDay:
        *out_ += second_of_day_ < 43'200 ? "AM" : "PM";
        return;
      default: {
        const int quarter = (date_.month + 2) / 3;
        *out_ += is_full ? fmt::format("{} quarter", kQuarters[quarter - 1])
                         : fmt::format("Q{}", quarter);
      }
    }
  }

  void WriteForm(std::string_view name, bool is_full) {
    out_->append(is_full ? name : name.substr(0, 3));
  }

  // Styles: upper-case parts are always there, lower-case ones where they are not zero.
  void WriteOffset(const Item& item) {
    if (offset_ == 0) {
      *out_ += item.literal;
      return;
    }
    const int size = std::abs(offset_);
    const bool has_colon = item.style.find(':') != std::string::npos;
    *out_ += offset_ < 0 ? '-' : '+';
    WriteNumber(size / 3600, 2);
    const int minute = size / 60 % 60;
    if (item.style == "+HHmm" && minute == 0) return;
    if (has_colon) *out_ += ':';
    WriteNumber(minute, 2);
    if (!item.style.ends_with("ss") || size % 60 == 0) return;
    if (has_colon) *out_ += ':';
    WriteNumber(size % 60, 2);
  }

  void WriteLocalizedOffset(bool is_full) {
    *out_ += "GMT";
    if (offset_ == 0) return;
    const int size = std::abs(offset_);
    *out_ += offset_ < 0 ? '-' : '+';
    WriteNumber(size / 3600, is_full ? 2 : 1);
    const bool has_seconds = size % 60 != 0;
    if (!is_full && size / 60 % 60 == 0 && !has_seconds) return;
    *out_ += ':';
    WriteNumber(size / 60 % 60, 2);
    if (!has_seconds) return;
    *out_ += ':';
    WriteNumber(size % 60, 2);
  }

  const TimeZone& zone_;
  std::string* const out_;
  int32_t offset_ = 0;
  int64_t days_ = 0;
  CivilDate date_;
  int second_of_day_ = 0;
  int micros_ = 0;
};

void DatetimePattern::Format(int64_t micros_utc, const TimeZone& zone, std::string* out) const {
  PatternFormatter formatter(micros_utc, zone, out);
  for (const Item& item : items_) formatter.Write(item, has_era_);
}

}  // namespace tidemill
