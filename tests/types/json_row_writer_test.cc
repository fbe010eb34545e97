#include <gtest/gtest.h>

#include <string>

#include "common/types/value_format.h"
#include "common/types/value_parse.h"
#include "tests/types/rows.h"

namespace tidemill {
namespace {

std::string Json(const arrow::RecordBatch& batch, int64_t row, std::string_view zone = "UTC") {
  std::string out;
  JsonRowWriter(batch.schema(), Zone(zone)).AppendRow(batch, row, &out);
  return out;
}

std::string JsonOf(std::string_view ddl, std::string_view row, std::string_view zone = "UTC") {
  return Json(*BatchOf(ddl, "[" + std::string(row) + "]"), 0, zone);
}

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(JsonRowWriterTest, FieldsKeepTheirOrderAndNullsAreLeftOut) {
  auto batch = BatchOf("b INT, a STRING, `q\"` BOOLEAN",
                       R"([[1, "x", true], [null, "y", null], [null, null, null]])");

  EXPECT_EQ(Json(*batch, 0), R"({"b":1,"a":"x","q\"":true})");
  EXPECT_EQ(Json(*batch, 1), R"({"a":"y"})");
  EXPECT_EQ(Json(*batch, 2), "{}");
  EXPECT_EQ(Json(*batch->Slice(1), 0), R"({"a":"y"})");
}

TEST(JsonRowWriterTest, NumbersAreJavas) {
  EXPECT_EQ(JsonOf("a TINYINT, b BIGINT, c DECIMAL(10,2), d DECIMAL(9,9)",
                   R"([-1, 9007199254740993, "-1.50", "0.000000001"])"),
            R"({"a":-1,"b":9007199254740993,"c":-1.50,"d":0.000000001})");
  EXPECT_EQ(JsonOf("a DOUBLE, b FLOAT, c DOUBLE, d DOUBLE, e FLOAT", "[1, 0.1, 1e10, NaN, -Inf]"),
            R"({"a":1.0,"b":0.1,"c":1.0E10,"d":"NaN","e":"-Infinity"})");
}

TEST(JsonRowWriterTest, TimestampsCarryTheOffsetOfTheirInstant) {
  int64_t micros = 0;
  ASSERT_TRUE(ParseTimestampNtz("2026-07-01 12:00:00.25", &micros));
  const std::string row = "[" + std::to_string(micros) + "," + std::to_string(micros) + ",1]";
  const char* ddl = "t TIMESTAMP, n TIMESTAMP_NTZ, d DATE";

  EXPECT_EQ(JsonOf(ddl, row),
            R"({"t":"2026-07-01T12:00:00.250Z","n":"2026-07-01T12:00:00.250","d":"1970-01-02"})");
  EXPECT_EQ(JsonOf("t TIMESTAMP", row.substr(0, row.find(',')) + "]", "Europe/Berlin"),
            R"({"t":"2026-07-01T14:00:00.250+02:00"})");
  EXPECT_EQ(JsonOf("t TIMESTAMP", "[-1]", "-03:30"), R"({"t":"1969-12-31T20:29:59.999-03:30"})");
}

TEST(JsonRowWriterTest, NestedValuesKeepNullsInListsAndMapsOnly) {
  EXPECT_EQ(JsonOf("s STRUCT<a: INT, b: ARRAY<STRUCT<c: INT>>>", "[[null, [[1], null, [null]]]]"),
            R"({"s":{"b":[{"c":1},null,{}]}})");
  EXPECT_EQ(JsonOf("m MAP<STRING, INT>, d MAP<DATE, DOUBLE>, e MAP<INT, INT>",
                   R"([[["k\"", 1], ["n", null]], [[0, 2]], []])"),
            R"({"m":{"k\"":1,"n":null},"d":{"0":2.0},"e":{}})");
  EXPECT_EQ(JsonOf("v VOID, a ARRAY<VOID>", "[null, [null]]"), R"({"a":[null]})");
}

TEST(JsonRowWriterTest, SlicedNestedColumnsReadTheirOwnRows) {
  auto batch = BatchOf("m MAP<STRING, ARRAY<INT>>, s STRUCT<a: INT>",
                       R"([[[["x", [1]]], [1]], [[["y", [2, 3]], ["z", []]], [2]]])");

  EXPECT_EQ(Json(*batch->Slice(1), 0), R"({"m":{"y":[2,3],"z":[]},"s":{"a":2}})");
}

TEST(JsonRowWriterTest, BinaryIsBase64) {
  auto text = [](const char* bytes) {
    return JsonOf("b BINARY", "[\"" + std::string(bytes) + "\"]");
  };

  EXPECT_EQ(text(""), R"({"b":""})");
  EXPECT_EQ(text("f"), R"({"b":"Zg=="})");
  EXPECT_EQ(text("fo"), R"({"b":"Zm8="})");
  EXPECT_EQ(text("foo"), R"({"b":"Zm9v"})");
  EXPECT_EQ(text("foobar"), R"({"b":"Zm9vYmFy"})");
}

TEST(AppendJsonStringTest, EscapesAsJacksonDoes) {
  EXPECT_EQ(Escaped("plain / text"), R"("plain / text")");
  EXPECT_EQ(Escaped("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(Escaped(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001F\x7f\"");
  EXPECT_EQ(Escaped("grüße 漢字 😀"), "\"grüße 漢字 😀\"");
}

TEST(AppendJsonStringTest, BrokenUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(Escaped("a\xFFz"), "\"a\uFFFDz\"");
  EXPECT_EQ(Escaped("\xC3"), "\"\uFFFD\"");
  EXPECT_EQ(Escaped("\xC0\x80"), "\"\uFFFD\uFFFD\"");
  EXPECT_EQ(Escaped("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
  EXPECT_EQ(Escaped("\xE2\x82\""), "\"\uFFFD\uFFFD\\\"\"");
}

}  // namespace
}  // namespace tidemill
