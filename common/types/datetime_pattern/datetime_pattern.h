#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/types/time_zone.h"

namespace tidemill {

// A datetime pattern as Spark takes them ("yyyy-MM-dd HH:mm:ss[.SSS]"), compiled once.
//
// Letters: G y M L d D F E a h H k K m s S Q q VV z O X x Z, text between quotes, optional sections
// between brackets. Parsing is strict as in Spark: the whole text, fields in range, names in any
// case, missing fields are those of 1970-01-01 00:00:00. *Immutable.*
class DatetimePattern {
 public:
  enum class Use { kFormat, kParse };

  // Errors (kInvalid): INVALID_DATETIME_PATTERN.*,
  // INCONSISTENT_BEHAVIOR_CROSS_VERSION.* for what older versions of Spark took.
  static arrow::Result<std::shared_ptr<const DatetimePattern>> Compile(std::string_view pattern,
                                                                       Use use);

  // Appends an instant on the wall clock of `zone`.
  void Format(int64_t micros_utc, const TimeZone& zone, std::string* out) const;

  // Parses an instant: in the zone that the text names, else in `zone`. False where the text does
  // not fit; the output is left alone then.
  bool Parse(std::string_view text, const TimeZone& zone, int64_t* micros_utc) const;
  // Parses a wall clock; a zone in the text is read and dropped.
  bool ParseLocal(std::string_view text, int64_t* local_micros) const;

 private:
  friend class PatternCompiler;
  friend class PatternFormatter;
  friend class PatternParser;

  enum class Field : uint8_t {
    kLiteral,
    kOptionalBegin,
    kOptionalEnd,
    kEra,
    kYear,       // proleptic, or of the era where the pattern has one
    kYearOfTwo,  // two digits, 2000 to 2099
    kMonth,
    kDayOfMonth,
    kDayOfYear,
    kAlignedDay,  // of the weeks that begin with a month
    kDayOfWeek,
    kHalfDay,
    kClockHourOfHalf,  // 1 to 12
    kHourOfDay,
    kClockHourOfDay,  // 1 to 24
    kHourOfHalf,      // 0 to 11
    kMinute,
    kSecond,
    kFraction,
    kQuarter,
    kZoneId,
    kZoneName,
    kLocalizedOffset,
    kOffset
  };

  // One element of a pattern.
  struct Item {
    Field field = Field::kLiteral;
    uint8_t count = 0;       // how often the letter stands there
    bool is_text = false;    // a name rather than a number
    bool is_number = false;  // takes part in the reading of adjacent numbers
    uint8_t min_width = 0;   // of numbers
    uint8_t max_width = 0;
    bool exceeds_pad = false;  // a year of more digits than its width has a sign
    bool is_signed = false;    // may begin with '-'
    uint8_t reserved = 0;      // digits that the fixed-width numbers behind it take
    int skip_to = 0;           // of kOptionalBegin: the index of its end
    std::string literal;       // text; of offsets: what stands for UTC
    std::string style;         // of offsets: "+HH:MM:ss" and the like
  };

  // A number at a fixed place.
  struct FixedNumber {
    Field field = Field::kYear;
    uint8_t begin = 0;
    uint8_t width = 0;
  };
  struct FixedChar {
    uint8_t at = 0;
    char c = ' ';
  };
  // What most patterns and their texts are: a year, a month, ... of a known number of digits each,
  // in any order, and other characters between them. Texts of that shape are read without the rules
  // for all others, which they obey.
  struct FixedShape {
    size_t size = 0;  // 0: the pattern has none
    std::vector<FixedNumber> numbers;
    std::vector<FixedChar> chars;
  };

  // False where the text has another shape or a field is out of its range.
  bool ParseFixed(std::string_view text, int64_t* local_micros) const;

  std::vector<Item> items_;
  bool has_era_ = false;
  FixedShape fixed_;
};

}  // namespace tidemill
