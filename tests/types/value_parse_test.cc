#include "common/types/value_parse.h"

#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "common/types/civil_time.h"
#include "tests/types/rows.h"

namespace tidemill {
namespace {

template <class T, class Parse>
std::optional<T> Parsed(Parse parse, std::string_view text) {
  T value{};
  return parse(text, &value) ? std::optional<T>(value) : std::nullopt;
}

std::optional<int64_t> Int(std::string_view text) { return Parsed<int64_t>(ParseInt64, text); }
std::optional<double> Double(std::string_view text) { return Parsed<double>(ParseDouble, text); }

std::string Decimal(std::string_view text, int32_t precision, int32_t scale) {
  arrow::Decimal128 value;
  if (!ParseDecimal(text, precision, scale, &value)) return "NULL";
  std::string out;
  AppendDecimalText(value, scale, &out);
  return out;
}

std::string Date(std::string_view text) {
  std::string out = "NULL";
  if (const auto days = Parsed<int32_t>(ParseDate, text)) {
    out.clear();
    AppendDateText(*days, &out);
  }
  return out;
}

std::string Timestamp(std::string_view text, std::string_view zone = "UTC") {
  int64_t micros = 0;
  if (!ParseTimestamp(text, *Zone(zone), &micros)) return "NULL";
  std::string out;
  AppendTimestampText(micros, *UtcTimeZone(), &out);
  return out;
}

TEST(ParseInt64Test, TakesSignsBlanksAndTheWholeRange) {
  EXPECT_EQ(Int("0"), 0);
  EXPECT_EQ(Int(" \t+42\n"), 42);
  EXPECT_EQ(Int("-007"), -7);
  EXPECT_EQ(Int("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(Int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(Int("000000000000000000000000000000012"), 12);
}

TEST(ParseInt64Test, RefusesAllElse) {
  for (const char* text :
       {"", " ", "+", "-", "12.5", "12.", "1e3", "0x10", "1 2", "--1", "1_000",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999999", "１"}) {
    EXPECT_EQ(Int(text), std::nullopt) << text;
  }
}

TEST(ParseDoubleTest, TakesJavasSpellings) {
  EXPECT_EQ(Double("1e3"), 1000);
  EXPECT_EQ(Double(" -1.5E+2 "), -150);
  EXPECT_EQ(Double("1."), 1);
  EXPECT_EQ(Double("+.5"), 0.5);
  EXPECT_EQ(Double("2d"), 2);
  EXPECT_EQ(Double("2.5F"), 2.5);
  EXPECT_EQ(Double("0x1.8p1"), 3);
  EXPECT_EQ(Double("inf"), INFINITY);
  EXPECT_EQ(Double("-Infinity"), -INFINITY);
  EXPECT_EQ(Double("+INF"), INFINITY);
  EXPECT_TRUE(std::isnan(*Double("nan")));
  EXPECT_TRUE(std::isnan(*Double(" NaN ")));
  EXPECT_TRUE(std::signbit(*Double("-0")));
}

TEST(ParseDoubleTest, OutOfRangeIsInfiniteOrZero) {
  EXPECT_EQ(Double("1e400"), INFINITY);
  EXPECT_EQ(Double("-1e99999999999999999999"), -INFINITY);
  EXPECT_EQ(Double("1e-400"), 0);
  EXPECT_EQ(Double("0." + std::string(400, '0') + "1"), 0);
  EXPECT_EQ(Double("1" + std::string(400, '0')), INFINITY);
  EXPECT_EQ(Double("4.9E-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(Parsed<float>(ParseFloat, "1e39"), std::numeric_limits<float>::infinity());
  EXPECT_EQ(Parsed<float>(ParseFloat, "0.1"), 0.1f);
}

TEST(ParseDoubleTest, RefusesAllElse) {
  for (const char* text : {"", ".", "e5", "1e", "1e+", "+-1", "1,5", "infi", "nan(1)", "0x10",
                           "0xnan(p)", "0x-1p3", "d", "1dd", "-nan", "1 d"}) {
    EXPECT_EQ(Double(text), std::nullopt) << text;
  }
}

TEST(ParseDecimalTest, RoundsHalfUpToTheScale) {
  EXPECT_EQ(Decimal("12.345", 10, 2), "12.35");
  EXPECT_EQ(Decimal("-12.345", 10, 2), "-12.35");
  EXPECT_EQ(Decimal("12.344999", 10, 2), "12.34");
  EXPECT_EQ(Decimal(" 1e2 ", 5, 2), "100.00");
  EXPECT_EQ(Decimal("1234e-4", 5, 2), "0.12");
  EXPECT_EQ(Decimal(".5", 1, 0), "1");
  EXPECT_EQ(Decimal("0.49", 1, 0), "0");
  EXPECT_EQ(Decimal("-0.004", 5, 2), "0.00");
  EXPECT_EQ(Decimal("1e-2000000000", 5, 2), "0.00");
  EXPECT_EQ(Decimal("0e2000000000", 5, 2), "0.00");
  EXPECT_EQ(Decimal(std::string(38, '9'), 38, 0), std::string(38, '9'));
}

TEST(ParseDecimalTest, RefusesWhatDoesNotFitOrIsNoNumber) {
  for (const char* text : {"1000", "999.995", "1e2000000000", "9e38", "99999999999999999999999999",
                           "", ".", "1e", "1d", "NaN", "1e99999999999"}) {
    EXPECT_EQ(Decimal(text, 5, 2), "NULL") << text;
  }
  EXPECT_EQ(Decimal(std::string(39, '9'), 38, 0), "NULL");
  EXPECT_EQ(Decimal("999.994", 5, 2), "999.99");
}

TEST(ParseBooleanTest, TakesSparksWords) {
  for (const char* text : {"t", "TRUE", " yes", "y", "1"})
    EXPECT_EQ(Parsed<bool>(ParseBoolean, text), true) << text;
  for (const char* text : {"f", "False", "no ", "N", "0"})
    EXPECT_EQ(Parsed<bool>(ParseBoolean, text), false) << text;
  for (const char* text : {"", "2", "on", "tr", "truee"})
    EXPECT_EQ(Parsed<bool>(ParseBoolean, text), std::nullopt) << text;
}

TEST(ParseDateTest, TakesSparksForms) {
  EXPECT_EQ(Date("2026"), "2026-01-01");
  EXPECT_EQ(Date("2026-2"), "2026-02-01");
  EXPECT_EQ(Date(" 2026-2-3 "), "2026-02-03");
  EXPECT_EQ(Date("2026-02-03T"), "2026-02-03");
  EXPECT_EQ(Date("2026-02-03 whatever"), "2026-02-03");
  EXPECT_EQ(Date("+12026-02-03"), "+12026-02-03");
  EXPECT_EQ(Date("-0044-03-15"), "-0044-03-15");
  EXPECT_EQ(Date("0000-02-29"), "0000-02-29");
  EXPECT_EQ(Date("2024-02-29"), "2024-02-29");
}

TEST(ParseDateTest, RefusesAllElse) {
  for (const char* text : {"", "26-01-01", "2026-13-01", "2026-00-01", "2026-02-29", "2026-1-32",
                           "2026-001-01", "2026/01/01", "20260101T", "2026 01", "2026T", "2026-",
                           "2026-1-", "12345678", "9999999-01-01", "+", "x"}) {
    EXPECT_EQ(Date(text), "NULL") << text;
  }
}

TEST(ParseTimestampTest, TakesSparksForms) {
  EXPECT_EQ(Timestamp("2026"), "2026-01-01 00:00:00");
  EXPECT_EQ(Timestamp("2026-1-2"), "2026-01-02 00:00:00");
  EXPECT_EQ(Timestamp("2026-01-02 3"), "2026-01-02 03:00:00");
  EXPECT_EQ(Timestamp("2026-01-02T3:4"), "2026-01-02 03:04:00");
  EXPECT_EQ(Timestamp("2026-01-02 03:04:05"), "2026-01-02 03:04:05");
  EXPECT_EQ(Timestamp(" 2026-01-02T03:04:05.5 "), "2026-01-02 03:04:05.5");
  EXPECT_EQ(Timestamp("2026-01-02 03:04:05."), "2026-01-02 03:04:05");
  EXPECT_EQ(Timestamp("2026-01-02 03:04:05.123456789"), "2026-01-02 03:04:05.123456");
  EXPECT_EQ(Timestamp("1969-12-31 23:59:59.999999"), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(Timestamp("+12026-01-02 03:04:05Z"), "+12026-01-02 03:04:05");
  EXPECT_EQ(Timestamp("-0001-01-02 03:04:05"), "-0001-01-02 03:04:05");
  EXPECT_EQ(Timestamp("294247-01-10T04:00:54.775807Z"), "+294247-01-10 04:00:54.775807");
}

TEST(ParseTimestampTest, TakesZones) {
  EXPECT_EQ(Timestamp("2026-07-01 12:00:00", "Europe/Berlin"), "2026-07-01 10:00:00");
  EXPECT_EQ(Timestamp("2026-07-01", "Europe/Berlin"), "2026-06-30 22:00:00");
  EXPECT_EQ(Timestamp("2026-07-01 12:00:00Z", "Europe/Berlin"), "2026-07-01 12:00:00");
  EXPECT_EQ(Timestamp("2026-07-01 12:00:00.25+02:00"), "2026-07-01 10:00:00.25");
  EXPECT_EQ(Timestamp("2026-07-01 12:00:00 -7"), "2026-07-01 19:00:00");
  EXPECT_EQ(Timestamp("2026-07-01T12:00:00 Europe/Berlin"), "2026-07-01 10:00:00");
  EXPECT_EQ(Timestamp("2026-07-01T12:00:00GMT+3"), "2026-07-01 09:00:00");
  EXPECT_EQ(Timestamp("2026-03-29 02:30:00", "Europe/Berlin"), "2026-03-29 01:30:00");
  EXPECT_EQ(Timestamp("2026-10-25 02:30:00", "Europe/Berlin"), "2026-10-25 00:30:00");
}

TEST(ParseTimestampTest, RefusesAllElse) {
  for (const char* text :
       {"", "12:00:00", "T12:00:00", "2026-01-02 24:00:00", "2026-01-02 23:60:00",
        "2026-01-02 23:59:60", "2026-01-02 123456", "2026-01-02T",
        "2026-01-02 12:", "2026-01-02 12:00Z", "2026-01-02 12:00:00 Nowhere",
        "2026-01-02 12:00:00..5", "2026-01-02 12:00:00+19:00", "2026-01-02x", "2026-02-30 00:00:00",
        "1234567-01-01", "294247-01-10T04:00:54.775808Z", "999999-01-01", "2026-01-02 012:00:00"}) {
    EXPECT_EQ(Timestamp(text), "NULL") << text;
  }
}

TEST(ParseTimestampNtzTest, KeepsTheWallClockAndChecksTheZone) {
  int64_t micros = 0;

  EXPECT_TRUE(ParseTimestampNtz("1970-01-02 00:00:00.000001+05:00", &micros));
  EXPECT_EQ(micros, kMicrosPerDay + 1);
  EXPECT_FALSE(ParseTimestampNtz("1970-01-02 00:00:00 Nowhere", &micros));
  EXPECT_EQ(micros, kMicrosPerDay + 1);
}

}  // namespace
}  // namespace tidemill
