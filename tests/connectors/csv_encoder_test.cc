#include "connectors/file/csv/csv_encoder.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>

#include "common/base/error.h"
#include "tests/connectors/columnar_files.h"
#include "tests/connectors/scratch_dir.h"

namespace tidemill::connectors {
namespace {

// As tests/oracle/csv_writer.py escapes.
std::optional<std::string> Unescaped(const std::string& text) {
  if (text == "\\N") return std::nullopt;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain.push_back(text[i]);
      continue;
    }
    const char name = text[++i];
    plain.push_back(name == 'n'   ? '\n'
                    : name == 'r' ? '\r'
                    : name == 't' ? '\t'
                    : name == '_' ? ' '
                                  : name);
  }
  return plain;
}

std::vector<std::string> SplitAtBlanks(const std::string& line) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == ' ') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

std::shared_ptr<arrow::RecordBatch> RowsOf(const std::vector<std::string>& texts) {
  arrow::StringBuilder a;
  arrow::StringBuilder b;
  const auto append = [](arrow::StringBuilder* builder, const std::optional<std::string>& text) {
    EXPECT_TRUE((text ? builder->Append(*text) : builder->AppendNull()).ok());
  };
  for (const auto& text : texts) {
    append(&a, Unescaped(text));
    append(&b, "z");
  }
  for (const auto& text : texts) {
    append(&a, "z");
    append(&b, Unescaped(text));
  }
  const auto rows = static_cast<int64_t>(2 * texts.size());
  return arrow::RecordBatch::Make(ParseDdlSchema("a STRING, b STRING").ValueOrDie(), rows,
                                  {*a.Finish(), *b.Finish()});
}

TEST(CsvEncoderTest, TextIsWrittenAsSparkWritesIt) {
  std::istringstream file(
      ReadFile(FileSystem::Local(), JoinPath(TIDEMILL_TEST_DATA, "csv_written.txt")).ValueOrDie());
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  const auto batch = RowsOf(SplitAtBlanks(line));
  int cases = 0;
  for (std::string options_line; std::getline(file, options_line) && std::getline(file, line);) {
    std::map<std::string, std::string> options;
    for (const std::string& option : SplitAtBlanks(options_line)) {
      const size_t equals = option.find('=');
      if (equals != std::string::npos) {
        options[option.substr(0, equals)] = *Unescaped(option.substr(equals + 1));
      }
    }

    EXPECT_EQ(EncodeBatches("csv", {batch}, options), *Unescaped(line)) << options_line;
    ++cases;
  }
  EXPECT_GE(cases, 15);
}

TEST(CsvEncoderTest, EveryTypeHasSparksText) {
  const auto batch = BatchOf(
      "b BOOLEAN, t TINYINT, d DOUBLE, f FLOAT, n DECIMAL(5,2), day DATE, ts TIMESTAMP, "
      "nt TIMESTAMP_NTZ, x DOUBLE, old DATE, bin BINARY",
      R"([[true, 1, 1.5, 1.5, "1.50", 18263, 1577934245678901, 1577934245678901, 1e300, -723180,
           "ab"]])");

  const std::string text = EncodeBatches("csv", {batch}, {{"header", "true"}});

  EXPECT_EQ(text,
            "b,t,d,f,n,day,ts,nt,x,old,bin\n"
            "true,1,1.5,1.5,1.50,2020-01-02,2020-01-02T03:04:05.678Z,2020-01-02T03:04:05.678,"
            "1.0E300,-0010-01-01,[61 62]\n");
}

TEST(CsvEncoderTest, DatesAndTimestampsFollowTheirPatterns) {
  const auto batch = BatchOf("d DATE, t TIMESTAMP, n TIMESTAMP_NTZ",
                             "[[18263, 1577934245678901, 1577934245678901]]");

  EXPECT_EQ(EncodeBatches("csv", {batch},
                          {{"dateFormat", "dd/MM/yyyy"},
                           {"timestampFormat", "yyyy HH:mm:ss.SSSSSS"},
                           {"timestampNTZFormat", "HH'h'"}}),
            "02/01/2020,2020 03:04:05.678901,03h\n");
}

TEST(CsvEncoderTest, ARowThatIsEmptyTextIsLeftOut) {
  const auto batch = BatchOf("a STRING", R"([[null], [""], ["x"]])");

  EXPECT_EQ(EncodeBatches("csv", {batch}), "\"\"\nx\n");
}

TEST(CsvEncoderTest, WithoutQuotesNothingCanBeWritten) {
  for (const char* key : {"quote", "escape"}) {
    SinkSpec spec{.format = "csv"};
    spec.options.Set(key, "");
    EXPECT_EQ(ErrorClassOf(CheckFileFormat(spec)), "INVALID_OPTION_VALUE");
  }
}

}  // namespace
}  // namespace tidemill::connectors
