#include "connectors/file/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>

#include "common/base/error.h"
#include "tests/connectors/scratch_dir.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FileSourceDriverTest : public ::testing::Test {
 protected:
  std::unique_ptr<SourceDriver> Make(const std::map<std::string, std::string>& options = {}) {
    SourceSpec spec{.name = "lines", .format = "text"};
    spec.options.Set("path", dir_.path());
    for (const auto& [key, value] : options) spec.options.Set(key, value);
    spec = ResolveSource(spec).ValueOrDie();
    return MakeSourceDriver(spec, {.fs = FileSystem::Local(),
                                   .clock = Clock::System(),
                                   .random = Random::System(),
                                   .wake = wake_})
        .ValueOrDie();
  }

  std::function<void()> wake_ = [] {};

  static EpochInput Take(SourceDriver* driver, ReadLimit limit = ReadLimit{}) {
    return driver->Next(limit).ValueOrDie();
  }

  static std::vector<std::string> NamesOf(const std::vector<Split>& splits) {
    std::vector<std::string> names;
    for (const Split& split : splits) {
      if (split.begin == 0) names.push_back(BaseName(split.path));
    }
    return names;
  }
  static std::vector<std::string> NextNames(SourceDriver* driver) {
    return NamesOf(Take(driver).splits);
  }

  const ScratchDir dir_;
};

TEST_F(FileSourceDriverTest, TakesFilesOnceInTheOrderOfTheirTimes) {
  dir_.Write("b", "1\n", 10);
  dir_.Write("a", "2\n", 20);
  auto driver = Make();

  const EpochInput first = Take(driver.get());
  const EpochInput second = Take(driver.get());
  dir_.Write("c", "3\n", 5);
  const EpochInput third = Take(driver.get());

  EXPECT_THAT(NamesOf(first.splits), ElementsAre("b", "a"));
  EXPECT_EQ(first.start_offset, "");
  EXPECT_EQ(first.end_offset, "{\"logOffset\":0}");
  EXPECT_FALSE(second.has_data());
  EXPECT_THAT(second.splits, IsEmpty());
  EXPECT_THAT(NamesOf(third.splits), ElementsAre("c"));
  EXPECT_EQ(third.start_offset, "{\"logOffset\":0}");
  EXPECT_EQ(third.end_offset, "{\"logOffset\":1}");
}

TEST_F(FileSourceDriverTest, LimitsTheFilesOfAnEpoch) {
  for (int i = 0; i < 5; ++i) dir_.Write(std::string(1, 'a' + i), "x\n", i);
  auto driver = Make({{"maxFilesPerTrigger", "2"}});

  EXPECT_THAT(NextNames(driver.get()), ElementsAre("a", "b"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("c", "d"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("e"));
  EXPECT_THAT(NextNames(driver.get()), IsEmpty());
}

TEST_F(FileSourceDriverTest, LimitsTheBytesOfAnEpochButTakesOneFile) {
  dir_.Write("a", std::string(100, 'x'), 1);
  dir_.Write("b", std::string(30, 'x'), 2);
  dir_.Write("c", std::string(20, 'x'), 3);
  dir_.Write("d", std::string(1, 'x'), 4);
  auto driver = Make({{"maxBytesPerTrigger", "50"}});

  EXPECT_THAT(NextNames(driver.get()), ElementsAre("a"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("b", "c"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("d"));
}

TEST_F(FileSourceDriverTest, AllMeansAllWhateverTheOptionsSay) {
  for (int i = 0; i < 5; ++i) dir_.Write(std::string(1, 'a' + i), "x\n", i);
  auto driver = Make({{"maxFilesPerTrigger", "2"}});

  EXPECT_EQ(Take(driver.get(), ReadLimit::All()).splits.size(), 5u);
}

TEST_F(FileSourceDriverTest, LargeFilesAreCutForEveryCore) {
  constexpr int64_t kMiB = 1 << 20;
  const auto sizes = [&](int splits) {
    std::vector<int64_t> bytes;
    for (const Split& split : Take(Make().get(), ReadLimit{.splits = splits}).splits)
      bytes.push_back((split.end - split.begin) / kMiB);
    return bytes;
  };
  dir_.Write("a", std::string(18 * kMiB, 'x'));

  EXPECT_THAT(sizes(1), ElementsAre(18));
  EXPECT_THAT(sizes(2), ElementsAre(9, 9));
  EXPECT_THAT(sizes(100), ElementsAre(3, 3, 3, 3, 3));  // not below 4 MiB, but for the remainder
  dir_.Write("b", std::string(18 * kMiB, 'x'));
  EXPECT_THAT(sizes(2), ElementsAre(18, 18));
}

TEST_F(FileSourceDriverTest, LatestFirstTakesTheNewestAndLooksAgainEachTime) {
  dir_.Write("old", "x\n", 1);
  dir_.Write("new", "x\n", 2);
  auto driver = Make({{"latestFirst", "true"}, {"maxFilesPerTrigger", "1"}});

  EXPECT_THAT(NextNames(driver.get()), ElementsAre("new"));
  dir_.Write("newest", "x\n", 3);
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("newest"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("old"));
}

TEST_F(FileSourceDriverTest, FilesFarBehindTheNewestOneAreIgnored) {
  dir_.Write("first", "x\n", 1000);
  auto driver = Make({{"maxFileAge", "100 seconds"}});
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("first"));

  dir_.Write("too-old", "x\n", 899);
  dir_.Write("in-time", "x\n", 900);

  EXPECT_THAT(NextNames(driver.get()), ElementsAre("in-time"));
}

TEST_F(FileSourceDriverTest, AFileMayBeKnownByItsNameOnly) {
  dir_.Write("x/a", "1\n", 1);
  dir_.Write("y/a", "1\n", 2);
  auto driver = Make({{"fileNameOnly", "true"}, {"recursiveFileLookup", "true"}});

  EXPECT_EQ(Take(driver.get()).splits.size(), 1u);
}

TEST_F(FileSourceDriverTest, ABudgetOfBytesCutsBetweenFilesWhereNoOptionDoes) {
  for (int i = 0; i < 4; ++i) dir_.Write(std::string(1, 'a' + i), std::string(10, 'x'), i);
  auto driver = Make({});
  const auto names = [&](int64_t bytes) {
    const EpochInput input = driver->Next({.bytes = bytes}).ValueOrDie();
    std::string text;
    for (const Split& split : input.splits) {
      text += BaseName(split.path);
    }
    return text;
  };
  EXPECT_EQ(names(25), "ab");
  dir_.Write("e", "x\n", 9);
  EXPECT_EQ(names(1), "c") << "never nothing";
  EXPECT_EQ(names(1'000), "d") << "the rest of one listing";
  EXPECT_EQ(names(1'000), "e");
  dir_.Write("f", "x\n", 10);
  dir_.Write("g", "x\n", 11);
  auto limited = Make({{"maxFilesPerTrigger", "6"}});
  const auto metrics = Make({{"maxFilesPerTrigger", "5"}})->Next({})->metrics;
  EXPECT_EQ(metrics.at("numFilesOutstanding"), 2);
  EXPECT_EQ(metrics.at("numBytesOutstanding"), 4);
  EXPECT_EQ(limited->Next({.bytes = 1})->splits.size(), 6U) << "the user's own limit holds";
}

TEST_F(FileSourceDriverTest, AFileThatArrivesWakesTheJob) {
  std::atomic<int> wakes = 0;
  wake_ = [&wakes] {
    ++wakes;
    wakes.notify_all();
  };
  const auto driver = Make();
  dir_.Write(".hidden", "x\n");
  dir_.Write("_made", "x\n");
  EXPECT_EQ(wakes, 0);
  dir_.Write("a", "x\n");
  wakes.wait(0);  // For ever, where nobody watches.
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("a"));
}

TEST_F(FileSourceDriverTest, AFixedEndLeavesOutLaterFiles) {
  for (int i = 0; i < 3; ++i) dir_.Write(std::string(1, 'a' + i), "x\n", i);
  auto driver = Make({{"maxFilesPerTrigger", "2"}});
  ASSERT_TRUE(driver->FixEnd().ok());
  dir_.Write("later", "x\n", 9);

  EXPECT_THAT(NextNames(driver.get()), ElementsAre("a", "b"));
  EXPECT_THAT(NextNames(driver.get()), ElementsAre("c"));
  EXPECT_FALSE(Take(driver.get()).has_data());
}

TEST_F(FileSourceDriverTest, CutsLargeFilesAndKeepsEmptyOnes) {
  dir_.Write("a", std::string(25, 'x'), 1);
  dir_.Write("b", "", 2);
  auto driver = Make({{"splitBytes", "10"}});

  const auto splits = Take(driver.get()).splits;

  ASSERT_EQ(splits.size(), 4u);
  EXPECT_EQ(splits[1].begin, 9);  // pieces of about one size
  EXPECT_EQ(splits[1].end, 18);
  EXPECT_EQ(splits[2].end, 25);
  EXPECT_EQ(splits[2].file_size, 25);
  EXPECT_EQ(splits[3].file_size, 0);
  EXPECT_EQ(BaseName(splits[3].path), "b");
}

TEST_F(FileSourceDriverTest, ASnapshotAndTheLogBringBackWhatWasSeen) {
  dir_.Write("a", "x\n", 1);
  auto before = Make();
  Take(before.get());
  const std::string snapshot = before->Snapshot();
  dir_.Write("b", "x\n", 2);
  const EpochInput logged = Take(before.get());
  dir_.Write("c", "x\n", 3);

  auto after = Make();
  ASSERT_TRUE(after->Restore(snapshot).ok());
  const auto replayed = after->Replay(logged);

  EXPECT_THAT(NamesOf(replayed.ValueOrDie()), ElementsAre("b"));
  const EpochInput next = Take(after.get());
  EXPECT_THAT(NamesOf(next.splits), ElementsAre("c"));
  EXPECT_EQ(next.start_offset, "{\"logOffset\":1}");
}

TEST_F(FileSourceDriverTest, ADamagedSnapshotIsCorruption) {
  dir_.Write("a", "x\n", 1);
  auto driver = Make();
  Take(driver.get());
  const std::string snapshot = driver->Snapshot();

  for (size_t length = 0; length < snapshot.size(); ++length) {
    const auto status = Make()->Restore(std::string_view(snapshot).substr(0, length));
    EXPECT_EQ(KindOf(status), ErrorKind::kCorrupt) << length;
  }
}

TEST_F(FileSourceDriverTest, BothLimitsTogetherAreRefused) {
  SourceSpec spec{.name = "lines", .format = "text"};
  spec.options.Set("path", dir_.path());
  spec.options.Set("maxFilesPerTrigger", "1");
  spec.options.Set("maxBytesPerTrigger", "1");

  EXPECT_EQ(ErrorClassOf(ResolveSource(spec).status()), "INVALID_OPTION_VALUE");
}

}  // namespace
}  // namespace tidemill::connectors
