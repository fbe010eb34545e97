#include "connectors/console/console_sink.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/memory/memory_tables.h"

namespace tidemill::connectors {
namespace {

std::shared_ptr<arrow::Schema> WordCounts() {
  return arrow::schema({arrow::field("word", arrow::utf8()), arrow::field("n", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::vector<std::pair<std::string, int64_t>>& rows) {
  arrow::StringBuilder words;
  arrow::Int64Builder counts;
  for (const auto& [word, n] : rows) {
    EXPECT_TRUE(words.Append(word).ok() && counts.Append(n).ok());
  }
  return arrow::RecordBatch::Make(WordCounts(), static_cast<int64_t>(rows.size()),
                                  {words.Finish().ValueOrDie(), counts.Finish().ValueOrDie()});
}

// A sink with its two halves, and what it printed.
class RowSinkTest : public ::testing::Test {
 protected:
  SinkSpec Spec(const std::string& format, const std::map<std::string, std::string>& options = {},
                OutputMode mode = OutputMode::kAppend) {
    SinkSpec spec{.format = format,
                  .schema = WordCounts(),
                  .output_mode = mode,
                  .job_uuid = "uuid",
                  .job_name = "counts-" + format};
    for (const auto& [key, value] : options) spec.options.Set(key, value);
    return ResolveSink(spec).ValueOrDie();
  }

  void Run(const SinkSpec& spec, int64_t epoch,
           const std::vector<std::shared_ptr<arrow::RecordBatch>>& by_writer) {
    std::vector<StagedOutput> outputs;
    for (const auto& batch : by_writer) {
      auto writer = MakeSinkWriter(spec, {}).ValueOrDie();
      ASSERT_TRUE(writer->Begin({.epoch = epoch}, 0).ok());
      ASSERT_TRUE(writer->Write(batch).ok());
      writer->Prepare([&](arrow::Result<StagedOutput> output) {
        outputs.push_back(std::move(output).ValueOrDie());
      });
    }
    auto driver = MakeSinkDriver(spec, {.clock = Clock::System(),
                                        .random = Random::System(),
                                        .zone = FindTimeZone("UTC").ValueOrDie(),
                                        .print = [this](std::string_view text) { out_ += text; }})
                      .ValueOrDie();
    ASSERT_TRUE(driver->Open(1).ok());
    ASSERT_TRUE(driver->Commit({.epoch = epoch}, 7, std::move(outputs), [] { return true; }).ok());
  }

  std::string out_;
};

using ConsoleSinkTest = RowSinkTest;
using MemorySinkTest = RowSinkTest;

TEST_F(ConsoleSinkTest, PrintsSparksTable) {
  Run(Spec("console"), 3, {Rows({{"apple", 2}}), Rows({{"a long word that is cut", 10}})});

  EXPECT_EQ(out_,
            "-------------------------------------------\n"
            "Batch: 3\n"
            "-------------------------------------------\n"
            "+--------------------+---+\n"
            "|                word|  n|\n"
            "+--------------------+---+\n"
            "|               apple|  2|\n"
            "|a long word that ...| 10|\n"
            "+--------------------+---+\n\n");
}

TEST_F(ConsoleSinkTest, SaysThatThereAreMoreRows) {
  Run(Spec("console", {{"numRows", "1"}, {"truncate", "false"}}), 0,
      {Rows({{"a", 1}, {"b", 2}, {"c", 3}})});

  EXPECT_EQ(out_,
            "-------------------------------------------\n"
            "Batch: 0\n"
            "-------------------------------------------\n"
            "+----+---+\n"
            "|word|n  |\n"
            "+----+---+\n"
            "|a   |1  |\n"
            "+----+---+\n"
            "only showing top 1 row\n\n");
}

TEST_F(ConsoleSinkTest, PrintsAnEmptyTableForAnEpochWithoutRows) {
  Run(Spec("console"), 1, {});

  EXPECT_EQ(out_,
            "-------------------------------------------\n"
            "Batch: 1\n"
            "-------------------------------------------\n"
            "+----+---+\n"
            "|word|  n|\n"
            "+----+---+\n"
            "+----+---+\n\n");
}

TEST_F(ConsoleSinkTest, JsonStyleIsOneLineForAnEpochWithRows) {
  const SinkSpec spec = Spec("console", {{"style", "json"}});

  Run(spec, 0, {});
  Run(spec, 1, {Rows({{"a", 1}}), Rows({{"b", 2}})});

  EXPECT_EQ(out_, "{\"batchId\":1,\"rows\":[{\"word\":\"a\",\"n\":1},{\"word\":\"b\",\"n\":2}]}\n");
}

TEST_F(MemorySinkTest, AppendAddsAndAnEpochCountsOnce) {
  const SinkSpec spec = Spec("memory");

  Run(spec, 0, {Rows({{"a", 1}})});
  Run(spec, 1, {Rows({{"b", 2}})});
  Run(spec, 1, {Rows({{"b", 2}})});

  EXPECT_EQ(MemoryTables::OfProcess()->Find("counts-memory")->batches.size(), 2u);
  EXPECT_FALSE(MemoryTables::OfProcess()->Find("other"));
}

TEST_F(MemorySinkTest, CompleteReplaces) {
  SinkSpec spec = Spec("memory", {}, OutputMode::kComplete);
  spec.job_name = "replaced";

  Run(spec, 0, {Rows({{"a", 1}})});
  Run(spec, 1, {Rows({{"b", 2}})});

  const auto table = MemoryTables::OfProcess()->Find("replaced");
  ASSERT_EQ(table->batches.size(), 1u);
  EXPECT_TRUE(table->batches[0]->Equals(*Rows({{"b", 2}})));
}

TEST(NoopSinkTest, CountsRowsAndCarriesNone) {
  auto writer = MakeSinkWriter({.format = "noop"}, {}).ValueOrDie();
  ASSERT_TRUE(writer->Begin({}, 0).ok());
  ASSERT_TRUE(writer->Write(Rows({{"a", 1}, {"b", 2}})).ok());

  StagedOutput output;
  writer->Prepare([&](arrow::Result<StagedOutput> staged) { output = staged.ValueOrDie(); });

  EXPECT_EQ(output.num_rows, 2);
  EXPECT_EQ(output.rows, "");
}

}  // namespace
}  // namespace tidemill::connectors
