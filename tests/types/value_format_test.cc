#include "common/types/value_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/types/rows.h"

namespace tidemill {
namespace {

std::string Text(std::string_view type, std::string_view json, TextStyle style = TextStyle::kCast,
                 std::string_view zone = "UTC") {
  return CastToText(*ArrayOf(type, "[" + std::string(json) + "]"), 0, *Zone(zone), style);
}

TEST(JavaTextTest, DoublesHaveJavasLayout) {
  const std::vector<std::pair<double, std::string>> cases = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1, "1.0"},
      {-12.5, "-12.5"},
      {100, "100.0"},
      {0.1, "0.1"},
      {0.001, "0.001"},
      {0.00099, "9.9E-4"},
      {1234567, "1234567.0"},
      {9999999.5, "9999999.5"},
      {1e7, "1.0E7"},
      {12345678, "1.2345678E7"},
      {1e10, "1.0E10"},
      {2e23, "2.0E23"},
      {1.0 / 3, "0.3333333333333333"},
      {std::numeric_limits<double>::max(), "1.7976931348623157E308"},
      {std::numeric_limits<double>::min(), "2.2250738585072014E-308"},
      {std::numeric_limits<double>::denorm_min(), "4.9E-324"},
      {INFINITY, "Infinity"},
      {-INFINITY, "-Infinity"},
      {NAN, "NaN"},
      {-NAN, "NaN"},
  };

  for (const auto& [value, text] : cases) EXPECT_EQ(JavaDoubleText(value), text);
}

TEST(JavaTextTest, FloatsHaveTheirOwnShortestDigits) {
  EXPECT_EQ(JavaFloatText(0.1f), "0.1");
  EXPECT_EQ(JavaFloatText(16777216.0f), "1.6777216E7");
  EXPECT_EQ(JavaFloatText(3.4028235e38f), "3.4028235E38");
  EXPECT_EQ(JavaFloatText(std::numeric_limits<float>::denorm_min()), "1.4E-45");
  EXPECT_EQ(JavaFloatText(-1.5f), "-1.5");
}

TEST(CastToTextTest, PrimitivesHaveSparksSpellings) {
  EXPECT_EQ(Text("BOOLEAN", "true"), "true");
  EXPECT_EQ(Text("TINYINT", "-128"), "-128");
  EXPECT_EQ(Text("BIGINT", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Text("DOUBLE", "1e10"), "1.0E10");
  EXPECT_EQ(Text("FLOAT", "0.5"), "0.5");
  EXPECT_EQ(Text("STRING", "\"a\\nb\""), "a\nb");
  EXPECT_EQ(Text("BINARY", "\"ab\""), "ab");
  EXPECT_EQ(Text("BINARY", "\"az\"", TextStyle::kShow), "[61 7A]");
  EXPECT_EQ(Text("INT", "null"), "NULL");
  EXPECT_EQ(Text("VOID", "null"), "NULL");
}

TEST(CastToTextTest, DecimalsKeepTheirScale) {
  EXPECT_EQ(Text("DECIMAL(10,2)", "\"12.30\""), "12.30");
  EXPECT_EQ(Text("DECIMAL(10,2)", "\"-0.05\""), "-0.05");
  EXPECT_EQ(Text("DECIMAL(10,0)", "\"0\""), "0");
  EXPECT_EQ(Text("DECIMAL(10,10)", "\"0.0000000001\""), "0.0000000001");
  EXPECT_EQ(Text("DECIMAL(38,18)", "\"-12345678901234567890.123456789012345678\""),
            "-12345678901234567890.123456789012345678");
  EXPECT_EQ(Text("DECIMAL(38,0)", "\"10000000000000000000000000000000000000\""),
            "10000000000000000000000000000000000000");
}

TEST(CastToTextTest, DatesAndTimesCoverAllYears) {
  EXPECT_EQ(Text("DATE", "0"), "1970-01-01");
  EXPECT_EQ(Text("DATE", "2932897"), "+10000-01-01");
  EXPECT_EQ(Text("DATE", "-719529"), "-0001-12-31");
  EXPECT_EQ(Text("DATE", "2147483647"), "+5881580-07-11");
  EXPECT_EQ(Text("TIMESTAMP_NTZ", "-1"), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(Text("TIMESTAMP_NTZ", "1500000"), "1970-01-01 00:00:01.5");
  EXPECT_EQ(Text("TIMESTAMP_NTZ", "-9223372036854775808"), "-290308-12-21 19:59:05.224192");
  EXPECT_EQ(Text("TIMESTAMP", "0", TextStyle::kCast, "Europe/Berlin"), "1970-01-01 01:00:00");
  EXPECT_EQ(Text("TIMESTAMP_NTZ", "0", TextStyle::kCast, "Europe/Berlin"), "1970-01-01 00:00:00");
}

TEST(CastToTextTest, NestedValuesNameTheirNulls) {
  EXPECT_EQ(Text("ARRAY<INT>", "[1, null, 2]"), "[1, null, 2]");
  EXPECT_EQ(Text("ARRAY<INT>", "[1, null]", TextStyle::kShow), "[1, NULL]");
  EXPECT_EQ(Text("ARRAY<INT>", "[]"), "[]");
  EXPECT_EQ(Text("MAP<STRING, DOUBLE>", R"([["a", 1], ["b", null]])"), "{a -> 1.0, b -> null}");
  EXPECT_EQ(Text("STRUCT<a: INT, b: STRING>", R"([1, "x"])"), "{1, x}");
  EXPECT_EQ(Text("STRUCT<a: ARRAY<STRUCT<b: INT>>>", R"([[[1], null]])"), "{[{1}, null]}");
}

TEST(CastToTextTest, SlicesAtAllLevelsReadTheirOwnRows) {
  auto lists = ArrayOf("ARRAY<STRUCT<a: INT, m: MAP<STRING, INT>>>",
                       R"([[[9, []]], [[1, [["k", 2]]], [3, null]], null])");

  EXPECT_EQ(CastToText(*lists->Slice(1), 0, *UtcTimeZone()), "[{1, {k -> 2}}, {3, null}]");
  EXPECT_EQ(CastToText(*lists->Slice(1), 1, *UtcTimeZone()), "NULL");
}

}  // namespace
}  // namespace tidemill
