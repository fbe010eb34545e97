#include "connectors/file/json/json_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonReaderTest : public ::testing::Test {
 protected:
  using Rows = std::vector<std::string>;

  // The rows as JSON text, as the JSON sink writes them; reads the columns in `columns`, or all.
  arrow::Result<Rows> TryRead(const std::string& schema, const std::string& contents,
                              const std::map<std::string, std::string>& options = {},
                              std::optional<std::vector<int>> columns = std::nullopt) {
    return ReadRows({.format = "json", .schema = schema, .options = options, .columns = columns},
                    SplitOf(dir_.Write("a.json", contents)));
  }
  Rows Read(const std::string& schema, const std::string& contents,
            const std::map<std::string, std::string>& options = {},
            std::optional<std::vector<int>> columns = std::nullopt) {
    const auto rows = TryRead(schema, contents, options, std::move(columns));
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    return rows.ok() ? *rows : Rows();
  }

  const ScratchDir dir_;
};

TEST_F(JsonReaderTest, EveryTypeIsRead) {
  const std::string row =
      R"({"b":true,"i":-7,"l":9007199254740993,"f":1.5,"d":1.0E10,"s":"x","n":12.50,)"
      R"("t":"2026-11-23T12:00:00.123Z","day":"2026-11-23","bin":"AQID","a":[1,2],)"
      R"("m":{"k":1},"st":{"x":"y"}})";

  const Rows rows = Read(
      "b BOOLEAN, i INT, l BIGINT, f FLOAT, d DOUBLE, s STRING, n DECIMAL(10,2), t TIMESTAMP, "
      "day DATE, bin BINARY, a ARRAY<INT>, m MAP<STRING, BIGINT>, st STRUCT<x: STRING>",
      row + "\n");

  EXPECT_THAT(rows, ElementsAre(row));
}

TEST_F(JsonReaderTest, AStringColumnTakesTheTextOfAnything) {
  EXPECT_THAT(Read("s STRING", R"({"s":1.50}
{"s":{"a": 1}}
{"s":[1, "x"]}
{"s":true}
{"s":null}
{"s":""})"),
              ElementsAre(R"({"s":"1.50"})", R"({"s":"{\"a\": 1}"})", R"({"s":"[1, \"x\"]"})",
                          R"({"s":"true"})", "{}", R"({"s":""})"));
}

TEST_F(JsonReaderTest, ValuesAreNotCoercedBetweenJsonTypes) {
  for (const char* bad : {"\"1\"", "1.0", "true", "2147483648", "{}", "\"\""}) {
    EXPECT_THAT(Read("x INT, y INT", fmt::format("{{\"x\":{},\"y\":2}}", bad)),
                ElementsAre(R"({"y":2})"))
        << bad;
  }
  EXPECT_THAT(Read("x DOUBLE", "{\"x\":\"NaN\"}\n{\"x\":\"1.0\"}\n{\"x\":-INF}\n{\"x\":1e999}"),
              ElementsAre(R"({"x":"NaN"})", "{}", R"({"x":"-Infinity"})", R"({"x":"Infinity"})"));
  EXPECT_THAT(Read("x DECIMAL(4,1)", "{\"x\":\"1.25\"}\n{\"x\":-1.25}\n{\"x\":9999}"),
              ElementsAre(R"({"x":1.3})", R"({"x":-1.3})", "{}"));
  EXPECT_THAT(Read("x TIMESTAMP", "{\"x\":1}\n{\"x\":\"2026-01-02 03:04\"}\n{\"x\":\"soon\"}"),
              ElementsAre(R"({"x":"1970-01-01T00:00:01.000Z"})",
                          R"({"x":"2026-01-02T03:04:00.000Z"})", "{}"));
}

TEST_F(JsonReaderTest, EscapesAndSingleQuotesAreUnderstood) {
  EXPECT_THAT(Read("s STRING", R"({"s":"a\n\u00e4\ud83d\ude00\/\""})"),
              ElementsAre("{\"s\":\"a\\nä😀/\\\"\"}"));
  EXPECT_THAT(Read("s STRING", "{'s':'it\\'s'}"), ElementsAre(R"({"s":"it's"})"));
  EXPECT_THAT(Read("s STRING", "{'s':'x'}", {{"allowSingleQuotes", "false"}}), ElementsAre("{}"));
  EXPECT_THAT(Read("s STRING", R"({"\u0073":"x"})"), ElementsAre(R"({"s":"x"})"));
}

TEST_F(JsonReaderTest, FieldsAreFoundByCaseInAnyOrderAndTheLastOneCounts) {
  EXPECT_THAT(Read("a INT, b INT", R"({"b":1,"a":2}
{"A":1,"b":2}
{"a":1,"a":3})"),
              ElementsAre(R"({"a":2,"b":1})", R"({"b":2})", R"({"a":3})"));
}

TEST_F(JsonReaderTest, FieldsMayBeWrittenOtherwiseThanInTheRecordBefore) {
  EXPECT_THAT(Read("a INT, bc INT, d STRING", R"({"a":1,"bc":2,"d":"x"}
{"a":2,"bc":3,"d":"y"}
{ "a" : 3 , "bc": 4, "d":"z"}
{"a":4,"bd":5,"d":"u"}
{"a":5}
{"\u0061":6,"bc":7}
{"a":7,"bc" 8}
{"a":8,"bc":9)"),
              ElementsAre(R"({"a":1,"bc":2,"d":"x"})", R"({"a":2,"bc":3,"d":"y"})",
                          R"({"a":3,"bc":4,"d":"z"})", R"({"a":4,"d":"u"})", R"({"a":5})",
                          R"({"a":6,"bc":7})", "{}", "{}"));
  // A name in single quotes that would end too early in others.
  EXPECT_THAT(Read("a INT, `x\":1,\"a` INT", "{'x\":1,\"a':2}\n{\"x\":1,\"a\":3}"),
              ElementsAre(R"({"x\":1,\"a":2})", R"({"a":3})"));
}

TEST_F(JsonReaderTest, BlankLinesAreNoRecordsAndArraysAreOneForEachElement) {
  EXPECT_THAT(Read("a INT", "\n  \n{\"a\":1}\n[{\"a\":2},{\"a\":3}]\n[]\n"),
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3})"));
}

TEST_F(JsonReaderTest, BrokenRecordsAreFoundWhicheverColumnsAreUsed) {
  for (const std::string bad : {"{\"a\":1",
                                "{\"a\":1,}",
                                "{a:1}",
                                "{\"a\":tru,\"b\":1}",
                                "{\"b\":01}",
                                "{\"b\":1.}",
                                "{\"b\":.5}",
                                "{\"b\":-}",
                                "{\"b\":\"\\x\"}",
                                "{\"b\":\"\\u12\"}",
                                "{\"b\":\"\t\"}",
                                "{\"b\":\"\xff\"}",
                                "{\"b\":[1,]}",
                                "{\"b\":[1}",
                                "{\"b\" 1}",
                                "1",
                                "null",
                                "\"x\"",
                                "[1]",
                                "[{\"a\":1},2]",
                                "{\"b\":nul}",
                                "{\"b\":\"x}",
                                "{\"b\":{\"c\":}}"}) {
    const std::string line = "{\"a\":1}\n" + bad + "\n{\"a\":2}\n";
    EXPECT_THAT(Read("a INT", line, {{"mode", "DROPMALFORMED"}}),
                ElementsAre(R"({"a":1})", R"({"a":2})"))
        << bad;
    EXPECT_THAT(Read("a INT", line), ElementsAre(R"({"a":1})", "{}", R"({"a":2})")) << bad;
  }
}

TEST_F(JsonReaderTest, TextAfterARecordIsNotLookedAt) {
  EXPECT_THAT(Read("a INT", "{\"a\":1}}\n{\"a\":2} x\n{\"a\":3}{\"a\":4}\n[{\"a\":5}] x\n"),
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":5})"));
}

TEST_F(JsonReaderTest, RecordsAreLimitedInDepthAndSize) {
  const auto nested = [](int levels) {
    return "{\"x\":" + std::string(levels, '[') + std::string(levels, ']') + ",\"a\":1}";
  };
  const std::string large = "{\"x\":\"" + std::string(9 << 20, 'x') + "\",\"a\":1}";

  EXPECT_THAT(Read("a INT", nested(63)), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(Read("a INT", nested(64)), ElementsAre("{}"));
  EXPECT_THAT(Read("a INT", large + "\n{\"a\":2}\n"), ElementsAre("{}", R"({"a":2})"));
}

TEST_F(JsonReaderTest, TheCorruptColumnHoldsTheTextOfBadRecords) {
  const std::string contents = "{\"a\":1}\n{\"a\":\"x\",\"b\":2}\nnonsense\n";

  EXPECT_THAT(Read("a INT, b INT, _corrupt_record STRING", contents),
              ElementsAre(R"({"a":1})", R"({"b":2,"_corrupt_record":"{\"a\":\"x\",\"b\":2}"})",
                          R"({"_corrupt_record":"nonsense"})"));
  EXPECT_THAT(
      Read("bad STRING, a INT", contents, {{"columnNameOfCorruptRecord", "bad"}}),
      ElementsAre(R"({"a":1})", R"({"bad":"{\"a\":\"x\",\"b\":2}"})", R"({"bad":"nonsense"})"));
}

TEST_F(JsonReaderTest, FailFastNamesTheFileAndTheRecord) {
  const auto rows = TryRead("a INT", "{\"a\":1}\nnonsense\n", {{"mode", "failfast"}});

  EXPECT_EQ(ErrorClassOf(rows.status()), "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION");
  EXPECT_EQ(KindOf(rows.status()), ErrorKind::kJobFailed);
  EXPECT_THAT(rows.status().message(), HasSubstr("nonsense"));
  EXPECT_THAT(rows.status().message(), HasSubstr("a.json"));
}

TEST_F(JsonReaderTest, GoodPartsOfNestedValuesAreKept) {
  EXPECT_THAT(
      Read("s STRUCT<x: INT, y: INT>, a ARRAY<INT>, m MAP<STRING, INT>, "
           "o ARRAY<STRUCT<x: INT>>",
           R"({"s":{"x":"bad","y":1},"a":[1,"bad"],"m":{"k":true},"o":[{"x":{}},{"x":2}]})"),
      ElementsAre(R"({"s":{"y":1},"o":[{},{"x":2}]})"));
}

TEST_F(JsonReaderTest, OnlyTheColumnsAskedForAreRead) {
  const std::string contents = "{\"a\":1,\"b\":\"bad\",\"c\":3}\n";

  EXPECT_THAT(Read("a INT, b INT, c INT", contents, {{"mode", "FAILFAST"}}, {{0, 2}}),
              ElementsAre(R"({"a":1,"c":3})"));
  EXPECT_THAT(Read("a INT", contents, {}, std::vector<int>()), ElementsAre("{}"));
}

TEST_F(JsonReaderTest, ASchemaCanBeInferredFromTheFiles) {
  dir_.Write("a.json", R"({"n":1,"s":"x","l":[1,null],"o":{"b":true},"nothing":null}
{"n":2.5,"s":7,"l":[2],"o":{"a":12345678901234567890},"e":{}})");
  SourceSpec spec{.name = "t", .format = "json"};
  spec.options.Set("path", dir_.path());
  spec.options.Set("inferSchema", "true");
  spec = ResolveSource(spec).ValueOrDie();
  ASSERT_EQ(spec.schema, nullptr);

  const auto schema = InferSchema(spec, FileSystem::Local()).ValueOrDie();

  EXPECT_EQ(DdlOf(*schema),
            "l ARRAY<BIGINT>, n DOUBLE, nothing STRING, o STRUCT<a: DECIMAL(20,0), b: BOOLEAN>, "
            "s STRING");
}

TEST_F(JsonReaderTest, WithoutASchemaTheSourceIsRefused) {
  SourceSpec spec{.name = "t", .format = "json"};
  spec.options.Set("path", dir_.path());

  EXPECT_EQ(ErrorClassOf(ResolveSource(spec).status()), "SCHEMA_NOT_SPECIFIED");
}

}  // namespace
}  // namespace tidemill::connectors
