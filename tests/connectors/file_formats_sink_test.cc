#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/base/error.h"
#include "connectors/sink.h"
#include "tests/connectors/columnar_files.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The file sink with each format: what it publishes is read by the source of that format.
class FileFormatsSinkTest : public ::testing::Test {
 protected:
  SinkSpec Spec(const std::string& format, OutputMode mode,
                const std::map<std::string, std::string>& options = {}) {
    SinkSpec spec{.format = format,
                  .schema = NumbersBatch(0)->schema(),
                  .output_mode = mode,
                  .job_uuid = "job-" + format,
                  .job_name = "numbers"};
    spec.options.Set("path", dir_ / "out");
    for (const auto& [key, value] : options) spec.options.Set(key, value);
    return ResolveSink(spec).ValueOrDie();
  }

  StagedOutput Stage(const SinkSpec& spec, int rows) {
    OwnThreadExecutor io;
    const auto zone = FindTimeZone("UTC").ValueOrDie();
    auto writer = MakeSinkWriter(spec, {.fs = FileSystem::Local(),
                                        .io = &io,
                                        .random = Random::System(),
                                        .wake = [] {},
                                        .zone = zone})
                      .ValueOrDie();
    EXPECT_TRUE(writer->Begin({.epoch = 0, .term = 1, .attempt = 1}, 0).ok());
    if (rows > 0) {
      EXPECT_EQ(writer->Write(NumbersBatch(rows)), arrow::Status::OK());
    }
    std::optional<arrow::Result<StagedOutput>> output;
    writer->Prepare([&output](arrow::Result<StagedOutput> staged) { output = std::move(staged); });
    io.RunAll();
    return output.value().ValueOrDie();
  }

  // Writes an epoch; the names of the files that readers see then.
  std::vector<std::string> Publish(const SinkSpec& spec, int rows) {
    auto driver = MakeSinkDriver(spec, {.fs = FileSystem::Local(),
                                        .clock = Clock::System(),
                                        .random = Random::System(),
                                        .zone = FindTimeZone("UTC").ValueOrDie()})
                      .ValueOrDie();
    EXPECT_TRUE(driver->Open(1).ok());
    std::vector<StagedOutput> outputs;
    outputs.push_back(Stage(spec, rows));
    EXPECT_EQ(driver->Commit({.epoch = 0, .term = 1, .attempt = 1}, 7, std::move(outputs),
                             [] { return true; }),
              arrow::Status::OK());
    std::vector<std::string> names;
    for (const FileInfo& file : FileSystem::Local()->List(dir_ / "out").ValueOrDie()) {
      if (!file.is_directory) names.push_back(BaseName(file.path));
    }
    return names;
  }

  const ScratchDir dir_;
};

TEST_F(FileFormatsSinkTest, WhatIsPublishedIsRead) {
  for (const char* format : {"csv", "json", "parquet", "orc"}) {
    for (const OutputMode mode : {OutputMode::kAppend, OutputMode::kComplete}) {
      const auto names = Publish(Spec(format, mode), 2);

      ASSERT_EQ(names.size(), 1u) << format;
      EXPECT_THAT(names[0], HasSubstr(std::string(".") + format));
      EXPECT_THAT(ReadRows({.format = format, .schema = "n INT, s STRING"},
                           SplitOf(dir_ / ("out/" + names[0])))
                      .ValueOrDie(),
                  ElementsAre(R"({"n":0,"s":"v0"})", R"({"n":1,"s":"v1"})"));
      ASSERT_TRUE(RemoveTree(FileSystem::Local(), dir_ / "out").ok());
    }
  }
}

TEST_F(FileFormatsSinkTest, AResultWithoutRowsIsAFileOfItsFormat) {
  for (const char* format : {"csv", "parquet", "orc"}) {
    const auto names = Publish(
        Spec(format, OutputMode::kComplete,
             std::string(format) == "csv" ? std::map<std::string, std::string>{{"header", "true"}}
                                          : std::map<std::string, std::string>{}),
        0);

    ASSERT_THAT(names, ElementsAre(std::string("part-00000.") + format));
    const SourceSpec spec =
        SpecOf({.format = format, .options = {{"inferSchema", "true"}}}, dir_ / ("out/" + names[0]))
            .ValueOrDie();
    EXPECT_EQ(spec.schema->num_fields(), 2) << format;
    ASSERT_TRUE(RemoveTree(FileSystem::Local(), dir_ / "out").ok());
  }
}

TEST_F(FileFormatsSinkTest, TextIsCompressedAsItsNameSays) {
  const std::map<std::string, std::string> extensions = {
      {"gzip", ".gz"},       {"bzip2", ".bz2"}, {"zstd", ".zst"}, {"deflate", ".deflate"},
      {"snappy", ".snappy"}, {"lz4", ".lz4"},   {"none", ""}};
  for (const auto& [codec, extension] : extensions) {
    for (const char* format : {"csv", "json"}) {
      const auto names = Publish(Spec(format, OutputMode::kAppend, {{"compression", codec}}), 3000);

      ASSERT_EQ(names.size(), 1u);
      EXPECT_TRUE(names[0].ends_with(std::string(".") + format + extension)) << names[0];
      EXPECT_EQ(ReadRows({.format = format, .schema = "n INT, s STRING"},
                         SplitOf(dir_ / ("out/" + names[0])))
                    .ValueOrDie(),
                JsonRowsOf({NumbersBatch(3000)}).ValueOrDie())
          << codec;
      ASSERT_TRUE(RemoveTree(FileSystem::Local(), dir_ / "out").ok());
    }
  }
}

TEST_F(FileFormatsSinkTest, WhatAFormatDoesNotHaveIsRefusedByName) {
  const auto class_of = [](const std::string& format, const std::string& ddl,
                           const std::string& key = "path", const std::string& value = "/out") {
    SinkSpec spec{.format = format, .schema = ParseDdlSchema(ddl).ValueOrDie()};
    spec.options.Set("path", "/out");
    spec.options.Set(key, value);
    return ErrorClassOf(ResolveSink(spec).status());
  };
  EXPECT_EQ(class_of("csv", "a ARRAY<INT>"), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
  EXPECT_EQ(class_of("parquet", "a VOID"), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
  EXPECT_EQ(class_of("orc", "a STRUCT<b: VOID>"), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
  EXPECT_EQ(class_of("parquet", "a INT, A INT"), "COLUMN_ALREADY_EXISTS");
  EXPECT_EQ(class_of("csv", "a INT", "compression", "lzo"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("json", "a INT", "compression", "br"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("parquet", "a INT", "compression", "lzo"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("orc", "a INT", "compression", "lzo"), "INVALID_OPTION_VALUE");
  EXPECT_EQ(class_of("parquet", "a INT", "header", "true"), "UNKNOWN_OPTION");
  EXPECT_EQ(class_of("csv", "a INT", "partitionBy", "a"), "UNSUPPORTED_OPTION");
}

}  // namespace
}  // namespace tidemill::connectors
