#include <gtest/gtest.h>

#include <string>

#include "common/base/error.h"
#include "common/types/interval/interval.h"

namespace tidemill {
namespace {

// "months days microseconds", or the error class. The answers are Spark's.
std::string Parsed(std::string_view text) {
  auto interval = ParseInterval(text);
  if (!interval.ok()) return ErrorClassOf(interval.status());
  return std::to_string(interval->months) + " " + std::to_string(interval->days) + " " +
         std::to_string(interval->microseconds);
}

TEST(IntervalParseTest, AddsUpUnitsAndSigns) {
  EXPECT_EQ(Parsed("10 minutes"), "0 0 600000000");
  EXPECT_EQ(Parsed("1 hour 30 minutes"), "0 0 5400000000");
  EXPECT_EQ(Parsed("  10   minutes  "), "0 0 600000000");
  EXPECT_EQ(Parsed("interval 1 day"), "0 1 0");
  EXPECT_EQ(Parsed("INTERVAL -1 Day +2 hours - 3 minutes"), "0 -1 7020000000");
  EXPECT_EQ(Parsed("1 year 2 months 3 weeks 4 days 5 hours 6 minutes 7.5 seconds 8 milliseconds 9 "
                   "microseconds"),
            "14 25 18367508009");
}

TEST(IntervalParseTest, TakesFractionsOfSecondsOnly) {
  EXPECT_EQ(Parsed(".5 seconds"), "0 0 500000");
  EXPECT_EQ(Parsed("1.123456789 second"), "0 0 1123456");
  EXPECT_EQ(Parsed("-0.5 seconds"), "0 0 -500000");
  EXPECT_EQ(Parsed("5. seconds"), "0 0 5000000");
  EXPECT_EQ(Parsed("1.5 days"), "INVALID_INTERVAL_FORMAT.INVALID_FRACTION");
  EXPECT_EQ(Parsed("1.1234567891 second"), "INVALID_INTERVAL_FORMAT.INVALID_PRECISION");
  EXPECT_EQ(Parsed("1.1x second"), "INVALID_INTERVAL_FORMAT.INVALID_VALUE");
  EXPECT_EQ(Parsed(". second"), "INVALID_INTERVAL_FORMAT.INVALID_VALUE");
}

TEST(IntervalParseTest, SaysWhatIsWrong) {
  EXPECT_EQ(Parsed(""), "INVALID_INTERVAL_FORMAT.INPUT_IS_EMPTY");
  EXPECT_EQ(Parsed("interval"), "INVALID_INTERVAL_FORMAT.INPUT_IS_EMPTY");
  EXPECT_EQ(Parsed("intervals 1 day"), "INVALID_INTERVAL_FORMAT.INVALID_PREFIX");
  EXPECT_EQ(Parsed("1"), "INVALID_INTERVAL_FORMAT.MISSING_UNIT");
  EXPECT_EQ(Parsed("1 day 2"), "INVALID_INTERVAL_FORMAT.MISSING_UNIT");
  EXPECT_EQ(Parsed("-"), "INVALID_INTERVAL_FORMAT.MISSING_NUMBER");
  EXPECT_EQ(Parsed("x day"), "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER");
  EXPECT_EQ(Parsed("1day"), "INVALID_INTERVAL_FORMAT.INVALID_VALUE");
  EXPECT_EQ(Parsed("1 fortnight"), "INVALID_INTERVAL_FORMAT.INVALID_UNIT");
  EXPECT_EQ(Parsed("1 daysz"), "INVALID_INTERVAL_FORMAT.INVALID_UNIT");
  EXPECT_EQ(Parsed("9999999999 days"), "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION");
  EXPECT_EQ(Parsed("9223372036854775807 hours"), "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION");
}

}  // namespace
}  // namespace tidemill
