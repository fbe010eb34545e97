#include "connectors/rate/rate_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/base/error.h"
#include "connectors/rate/rate_options.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  SteadyTime SteadyNow() const override { return {}; }
  Timestamp now{std::chrono::seconds(1000)};
};

class RateSourceTest : public ::testing::Test {
 protected:
  using Row = std::pair<int64_t, int64_t>;  // milliseconds, value

  SourceSpec Spec(const std::string& format, const std::map<std::string, std::string>& options) {
    SourceSpec spec{.name = "r", .format = format};
    spec.options.Set("numPartitions", "2");
    for (const auto& [key, value] : options) spec.options.Set(key, value);
    return ResolveSource(spec).ValueOrDie();
  }
  std::unique_ptr<SourceDriver> Driver(const SourceSpec& spec) {
    return MakeSourceDriver(spec, {.clock = &clock_}).ValueOrDie();
  }

  std::vector<Row> RowsOf(const SourceSpec& spec, const std::vector<Split>& splits) {
    auto reader = MakeSourceReader(spec, {0, 1}).ValueOrDie();
    std::vector<Row> rows;
    for (const Split& split : splits) {
      const auto batches = ReadSplit(reader.get(), split).ValueOrDie();
      for (const auto& batch : batches) {
        const auto& times = static_cast<const arrow::TimestampArray&>(*batch->column(0));
        const auto& values = static_cast<const arrow::Int64Array&>(*batch->column(1));
        for (int64_t i = 0; i < batch->num_rows(); ++i) {
          rows.emplace_back(times.Value(i) / 1000, values.Value(i));
        }
      }
    }
    return rows;
  }

  FakeClock clock_;
};

TEST_F(RateSourceTest, MakesRowsForEverySecondThatHasPassed) {
  const SourceSpec spec = Spec("rate", {{"rowsPerSecond", "2"}});
  auto driver = Driver(spec);
  EXPECT_FALSE(driver->Next(ReadLimit{}).ValueOrDie().has_data());

  clock_.now += std::chrono::milliseconds(2900);
  const EpochInput input = driver->Next(ReadLimit{}).ValueOrDie();

  EXPECT_EQ(input.start_offset, "");
  EXPECT_EQ(input.end_offset, "2");
  EXPECT_THAT(RowsOf(spec, input.splits), ElementsAre(Row{1'000'000, 0}, Row{1'001'000, 2},
                                                      Row{1'000'500, 1}, Row{1'001'500, 3}));
}

TEST_F(RateSourceTest, TheClocksStartSurvivesARestart) {
  const SourceSpec spec = Spec("rate", {});
  auto before = Driver(spec);
  const std::string snapshot = before->Snapshot();
  clock_.now += std::chrono::seconds(1);
  const EpochInput logged = before->Next(ReadLimit{}).ValueOrDie();
  clock_.now += std::chrono::seconds(1);

  auto by_snapshot = Driver(spec);
  ASSERT_TRUE(by_snapshot->Restore(snapshot).ok());
  auto by_log = Driver(spec);
  ASSERT_TRUE(by_log->Replay(logged).ok());

  EXPECT_EQ(by_snapshot->Next(ReadLimit{}).ValueOrDie().end_offset, "2");
  const EpochInput next = by_log->Next(ReadLimit{}).ValueOrDie();
  EXPECT_EQ(next.start_offset, "1");
  EXPECT_THAT(RowsOf(spec, next.splits), ElementsAre(Row{1'001'000, 1}));
}

TEST_F(RateSourceTest, TheRampIsSparks) {
  std::vector<int64_t> rows;
  for (int64_t second = 0; second <= 6; ++second) rows.push_back(RowsUntilSecond(second, 10, 4));

  EXPECT_THAT(rows, ElementsAre(0, 2, 6, 12, 20, 30, 40));
}

TEST_F(RateSourceTest, MicroBatchesDoNotDependOnTheClock) {
  const SourceSpec spec =
      Spec("rate-micro-batch",
           {{"rowsPerBatch", "3"}, {"startTimestamp", "5000"}, {"advanceMillisPerBatch", "100"}});
  auto driver = Driver(spec);

  const EpochInput first = driver->Next(ReadLimit{}).ValueOrDie();
  const EpochInput second = driver->Next(ReadLimit{}).ValueOrDie();

  EXPECT_EQ(first.end_offset, "{\"offset\":3,\"timestamp\":5100}");
  EXPECT_THAT(RowsOf(spec, first.splits), ElementsAre(Row{5000, 0}, Row{5000, 2}, Row{5000, 1}));
  EXPECT_THAT(RowsOf(spec, second.splits), ElementsAre(Row{5100, 3}, Row{5100, 5}, Row{5100, 4}));
}

TEST_F(RateSourceTest, AvailableNowIsOneMicroBatch) {
  auto driver = Driver(Spec("rate-micro-batch", {{"rowsPerBatch", "3"}}));
  ASSERT_TRUE(driver->FixEnd().ok());

  EXPECT_TRUE(driver->Next(ReadLimit{}).ValueOrDie().has_data());
  EXPECT_FALSE(driver->Next(ReadLimit{}).ValueOrDie().has_data());
}

TEST_F(RateSourceTest, ABadPayloadIsCorruption) {
  EXPECT_EQ(KindOf(DecodeRateRange("1 2 3").status()), ErrorKind::kCorrupt);
  EXPECT_EQ(KindOf(DecodeRateRange("2 1 0 0 0 1").status()), ErrorKind::kCorrupt);
  EXPECT_EQ(KindOf(DecodeRateRange("1 2 0 0 0 0").status()), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tidemill::connectors
