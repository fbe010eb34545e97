#include "connectors/file/csv/csv_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/base/error.h"
#include "common/csv/csv_records.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What Spark makes of CSV is recorded in tests/queries/csv_*.test; here is what Spark has no word
// in.
class CsvReaderTest : public ::testing::Test {
 protected:
  using Rows = std::vector<std::string>;

  arrow::Result<Rows> TryRead(const std::string& schema, const std::string& contents,
                              const std::map<std::string, std::string>& options = {},
                              const std::string& name = "a.csv") {
    return ReadRows({.format = "csv", .schema = schema, .options = options},
                    SplitOf(dir_.Write(name, contents)));
  }
  Rows Read(const std::string& schema, const std::string& contents,
            const std::map<std::string, std::string>& options = {}) {
    const auto rows = TryRead(schema, contents, options);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    return rows.ok() ? *rows : Rows();
  }
  std::string Inferred(const std::string& contents, std::map<std::string, std::string> options) {
    options.emplace("inferSchema", "true");
    dir_.Write("a.csv", contents);
    const auto spec = SpecOf({.format = "csv", .options = options}, dir_.path());
    return spec.ok() ? DdlOf(*spec->schema) : ErrorClassOf(spec.status());
  }

  const ScratchDir dir_;
};

TEST_F(CsvReaderTest, EveryRecordIsReadOnceWhereverAFileIsCut) {
  const std::string text = "a,b\n1,x\r\n2,\"y,y\"\n\n3,\n4,z";
  const std::string path = dir_.Write("a.csv", text);
  const ReadRequest request{
      .format = "csv", .schema = "n INT, s STRING", .options = {{"header", "true"}}};
  const Rows whole = ReadRows(request, SplitOf(path)).ValueOrDie();

  for (int64_t cut = 1; cut < static_cast<int64_t>(text.size()); ++cut) {
    Rows rows = ReadRows(request, SplitOf(path, 0, cut)).ValueOrDie();
    const Rows rest = ReadRows(request, SplitOf(path, cut)).ValueOrDie();
    rows.insert(rows.end(), rest.begin(), rest.end());
    EXPECT_EQ(rows, whole) << "cut at " << cut;
  }
  EXPECT_THAT(whole, ElementsAre(R"({"n":1,"s":"x"})", R"({"n":2,"s":"y,y"})", R"({"n":3})",
                                 R"({"n":4,"s":"z"})"));
}

TEST_F(CsvReaderTest, SmallBatchesGiveTheSameRows) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("{},\"v {}\"\n", i, i);
  for (const char* multi_line : {"false", "true"}) {
    const ReadRequest request{
        .format = "csv", .schema = "n INT, s STRING", .options = {{"multiLine", multi_line}}};
    const Split split = SplitOf(dir_.Write("a.csv", text));

    const auto rows = ReadRows(request, split, {.batch_rows = 7}).ValueOrDie();

    EXPECT_EQ(rows, ReadRows(request, split).ValueOrDie());
    EXPECT_EQ(rows.size(), 100u);
  }
}

TEST_F(CsvReaderTest, MultiLineFilesAndCompressedOnesAreNotCut) {
  dir_.Write("a.csv", "1,2\n3,4\n");
  SourceSpec spec = SpecOf({.format = "csv",
                            .schema = "a INT, b INT",
                            .options = {{"multiLine", "true"}, {"splitBytes", "3"}}},
                           dir_.path())
                        .ValueOrDie();
  const SourceDriverContext context{
      .fs = FileSystem::Local(), .clock = Clock::System(), .random = Random::System()};

  const auto whole = MakeSourceDriver(spec, context).ValueOrDie()->Next(ReadLimit::All());
  spec.options.Set("multiLine", "false");
  const auto cut = MakeSourceDriver(spec, context).ValueOrDie()->Next(ReadLimit::All());

  EXPECT_EQ(whole->splits.size(), 1u);
  EXPECT_EQ(cut->splits.size(), 3u);
}

TEST_F(CsvReaderTest, AByteOrderMarkIsNoText) {
  EXPECT_THAT(Read("s STRING, t STRING",
                   "\xEF\xBB\xBF"
                   "a,b\n"),
              ElementsAre(R"({"s":"a","t":"b"})"));
  EXPECT_THAT(Read("s STRING, t STRING", "\xEF\xBB\xBF\"a\",b\n", {{"multiLine", "true"}}),
              ElementsAre(R"({"s":"a","t":"b"})"));
}

TEST_F(CsvReaderTest, WhatIsNotUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(ReplaceBadUtf8("a\xFF\xFE"
                           "b\xC3\xA9\xE2\x82"),
            "a\uFFFD\uFFFD"
            "b\u00E9\uFFFD");
  EXPECT_EQ(ReplaceBadUtf8("\xED\xA0\x80\xF0\x9F\x98\x80"), "\uFFFD\uFFFD\uFFFD\U0001F600");
  EXPECT_THAT(Read("s STRING", "a\xC3(\n"), ElementsAre("{\"s\":\"a\uFFFD(\"}"));
}

TEST_F(CsvReaderTest, LimitsOnAValueAndOnColumnsEndTheJob) {
  const std::map<std::string, std::string> few = {{"maxColumns", "2"}};
  EXPECT_EQ(ErrorClassOf(TryRead("a INT, b INT", "1,2\n1,2,3\n", few).status()),
            "MALFORMED_CSV_RECORD");
  const auto status =
      TryRead("a STRING", "abc\nabcd\n", {{"maxCharsPerColumn", "3"}, {"mode", "DROPMALFORMED"}})
          .status();
  EXPECT_EQ(ErrorClassOf(status), "MALFORMED_CSV_RECORD");
  EXPECT_EQ(KindOf(status), ErrorKind::kJobFailed);
  EXPECT_THAT(status.message(), HasSubstr("a.csv"));
}

TEST_F(CsvReaderTest, ALineOfMoreThanEightMebibytesIsABadRecord) {
  const std::string text = "1,a\n2," + std::string(9 << 20, 'x') + "\n3,b\n";

  EXPECT_THAT(Read("n INT, s STRING", text, {{"mode", "DROPMALFORMED"}}),
              ElementsAre(R"({"n":1,"s":"a"})", R"({"n":3,"s":"b"})"));
}

TEST_F(CsvReaderTest, WithoutEnforceSchemaTheHeaderMustNameTheColumns) {
  const std::map<std::string, std::string> options = {{"header", "true"},
                                                      {"enforceSchema", "false"}};
  EXPECT_THAT(Read("a INT, B INT", "A,\"b\"\n1,2\n", options), ElementsAre(R"({"a":1,"B":2})"));

  for (const char* header : {"a,c", "a", "a,b,c", "b,a"}) {
    const auto status = TryRead("a INT, b INT", fmt::format("{}\n1,2\n", header), options).status();
    EXPECT_EQ(ErrorClassOf(status), "CSV_HEADER_MISMATCH") << header;
  }
}

TEST_F(CsvReaderTest, FailFastNamesTheRecordAndTheFile) {
  const auto status = TryRead("a INT", "1\nx\n", {{"mode", "FAILFAST"}}).status();

  EXPECT_EQ(ErrorClassOf(status), "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION");
  EXPECT_EQ(KindOf(status), ErrorKind::kJobFailed);
  EXPECT_THAT(status.message(), HasSubstr("parsing: x."));
  EXPECT_THAT(status.message(), HasSubstr("a.csv"));
}

TEST_F(CsvReaderTest, OptionsAreRefusedByName) {
  const auto class_of = [&](const std::string& key, const std::string& value) {
    return ErrorClassOf(TryRead("a INT", "1\n", {{key, value}}).status());
  };
  EXPECT_EQ(class_of("sep", "ab"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("sep", "\u00A6"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("quote", "''"), "OPTION_VALUE_EXCEEDS_ONE_CHARACTER");
  EXPECT_EQ(class_of("mode", "LENIENT"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("encoding", "ISO-8859-1"), "UNSUPPORTED_OPTION");
  EXPECT_EQ(class_of("unescapedQuoteHandling", "RAISE_ERROR"), "UNSUPPORTED_OPTION");
  EXPECT_EQ(class_of("samplingRatio", "0.5"), "UNSUPPORTED_OPTION");
  EXPECT_EQ(class_of("headers", "true"), "UNKNOWN_OPTION");
}

TEST_F(CsvReaderTest, DatesAndTimestampsFollowTheirPatterns) {
  EXPECT_THAT(Read("d DATE, t TIMESTAMP, n TIMESTAMP_NTZ",
                   "29/02/2020,29.02.2020 12:34,20200229-1234\n2020-02-29,x,\n",
                   {{"dateFormat", "dd/MM/yyyy"},
                    {"timestampFormat", "dd.MM.yyyy HH:mm"},
                    {"timestampNTZFormat", "yyyyMMdd-HHmm"}}),
              ElementsAre(R"({"d":"2020-02-29","t":"2020-02-29T12:34:00.000Z",)"
                          R"("n":"2020-02-29T12:34:00.000"})",
                          "{}"));
  EXPECT_EQ(Inferred("29/02/2020,1.2.2020\n", {{"dateFormat", "dd/MM/yyyy"}}),
            "_c0 DATE, _c1 STRING");
  EXPECT_FALSE(TryRead("d DATE", "x\n", {{"dateFormat", "bbb"}}).ok());
}

TEST_F(CsvReaderTest, NestedColumnsAreRefused) {
  EXPECT_EQ(ErrorClassOf(TryRead("a ARRAY<INT>", "1\n").status()),
            "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
  EXPECT_EQ(ErrorClassOf(TryRead("a INT, _corrupt_record INT", "1\n").status()),
            "INVALID_CORRUPT_RECORD_TYPE");
}

TEST_F(CsvReaderTest, ASchemaIsInferredFromTheValues) {
  EXPECT_EQ(Inferred("n,big,d,x,day,at,b,s\n"
                     "1,3000000000,1.5,1,2020-01-01,2020-01-01 10:00:00,true,a\n"
                     ",1,2,12345678901234567890123,2021-12-31,2020-01-02T00:00:00Z,FALSE,1\n",
                     {{"header", "true"}}),
            "n INT, big BIGINT, d DOUBLE, x DECIMAL(23,0), day DATE, at TIMESTAMP, b BOOLEAN, "
            "s STRING");
  EXPECT_EQ(Inferred("2020-01-01,1,true\n2020-01-01 10:00:00,x,2\n", {}),
            "_c0 STRING, _c1 STRING, _c2 STRING");
  EXPECT_EQ(Inferred("a,,A,\n1,2,3,4\n", {{"header", "true"}}), "a0 INT, _c1 INT, A2 INT, _c3 INT");
  EXPECT_EQ(Inferred("", {}), "UNABLE_TO_INFER_SCHEMA");
}

TEST_F(CsvReaderTest, NoBytesMakeItCrash) {
  std::mt19937 random(20261127);
  constexpr std::string_view kAlphabet = "a1,\"\\\n\r \t#\xC3\xFF\x00-.";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (size_t i = random() % 200; i > 0; --i) {
      text.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    const std::map<std::string, std::string> options = {
        {"multiLine", round % 2 == 0 ? "true" : "false"},
        {"escape", round % 3 == 0 ? "\"" : "\\"},
        {"ignoreLeadingWhiteSpace", round % 5 == 0 ? "true" : "false"},
        {"comment", "#"},
        {"header", round % 7 == 0 ? "true" : "false"}};

    const auto rows = TryRead("a INT, b STRING, _corrupt_record STRING", text, options);

    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  }
}

}  // namespace
}  // namespace tidemill::connectors
