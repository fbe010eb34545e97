#include "state/durable/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <thread>

#include "common/base/error.h"
#include "job_testing.h"
#include "state/durable/verify.h"

namespace tidemill::state {
namespace {

using ::testing::HasSubstr;

class RestorerTest : public JobFixture {
 protected:
  // Three epochs with a snapshot after each of the first two.
  void RunSomeEpochs() {
    for (int i = 0; i < 100; ++i) Put(std::to_string(i), i, "first");
    PutWord(tables_[0].get(), std::nullopt, -1, "null key");
    Commit();
    FlushAndSnapshot();
    for (int i = 0; i < 100; i += 3) Put(std::to_string(i), i, "second");
    for (int i = 0; i < 100; i += 10) Erase(std::to_string(i));
    EraseWord(tables_[0].get(), std::nullopt);
    Commit();
    FlushAndSnapshot();
    Put("10", 10, "third");
    Put("11", 11, "third");
    Erase("12");
    Commit();
  }
};

TEST_F(RestorerTest, SnapshotAndChangelogGiveTheTableBack) {
  RunSomeEpochs();
  Tables restored = NewTables();

  const auto stats = RestoreInto(&restored);

  ASSERT_TRUE(stats.ok()) << stats.status().ToString();
  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats->snapshot_rows, 90);
  EXPECT_EQ(stats->changelog_rows, 3);
  EXPECT_EQ(stats->rows, 90);
  for (uint32_t group = 0; group < kGroups; ++group)
    EXPECT_EQ(restored[group]->last_changed_epoch(), tables_[group]->last_changed_epoch());
}

TEST_F(RestorerTest, ChangelogAloneIsEnough) {
  RunSomeEpochs();
  snapshots_.clear();
  Tables restored = NewTables();

  ASSERT_TRUE(RestoreInto(&restored).ok());

  EXPECT_EQ(Dump(restored), Dump(tables_));
}

TEST_F(RestorerTest, AnyDamagedSnapshotFileMakesItFallBackToTheOlderOne) {
  RunSomeEpochs();
  for (const SnapshotFile& file : snapshots_[0].files) {
    if (std::any_of(snapshots_[1].files.begin(), snapshots_[1].files.end(),
                    [&](const auto& other) { return other.name == file.name; }))
      continue;
    const std::string path = JoinPath(state_dir_, file.name);
    Damage(file.name, 10);
    Tables restored = NewTables();

    const auto stats = RestoreInto(&restored);

    ASSERT_TRUE(stats.ok()) << stats.status().ToString();
    EXPECT_EQ(Dump(restored), Dump(tables_)) << file.name;
    EXPECT_EQ(stats->corrupt_snapshots, 1);
    Damage(file.name, 10);
  }
  Tables restored = NewTables();
  EXPECT_EQ(RestoreInto(&restored)->corrupt_snapshots, 0);
}

TEST_F(RestorerTest, TablesThatAreFilledAlreadyAreBroughtUpToDateByTheChangelogAlone) {
  RunSomeEpochs();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  const int64_t filled_to = epoch_;
  Put("20", 20, "fourth");
  Erase("21");
  Put("new", 1, "fourth");
  Commit();
  Erase("new");
  Put("21", 21, "fifth");
  Commit();

  Restorer::Options options = RestoreOptions();
  for (uint32_t group = 0; group < kGroups; ++group) options.filled[{0, group}] = filled_to;
  const auto stats = RestoreInto(&restored, options);

  ASSERT_TRUE(stats.ok()) << stats.status().ToString();
  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats->filled_tables, kGroups);
  EXPECT_EQ(stats->snapshot_rows, 0);
  EXPECT_EQ(stats->changelog_rows, 5);
  EXPECT_EQ(stats->rows, 91);
  for (uint32_t group = 0; group < kGroups; ++group)
    EXPECT_EQ(restored[group]->last_changed_epoch(), tables_[group]->last_changed_epoch());
}

// Before the older of two snapshots the changelog may be gone, and no gap would tell.
TEST_F(RestorerTest, FilledTablesThatAreOlderThanTheChangelogAreReadAgain) {
  Put("a", 1, "first");
  Commit();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  const int64_t filled_to = epoch_;
  for (const char* text : {"second", "third"}) {
    Put("a", 2, text);
    Put("b", 2, text);
    Commit();
    FlushAndSnapshot();
  }
  extents_.erase(extents_.begin(), extents_.begin() + 2);

  Restorer::Options options = RestoreOptions();
  for (uint32_t group = 0; group < kGroups; ++group) options.filled[{0, group}] = filled_to;
  const auto stats = RestoreInto(&restored, options);

  ASSERT_TRUE(stats.ok()) << stats.status().ToString();
  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats->filled_tables, 0);
}

// The changelog before the two newest snapshots is collected, so a table that has not changed since
// shows no gap: it would come back empty.
TEST_F(RestorerTest, DamageInAFileThatBothSnapshotsShareIsFatal) {
  RunSomeEpochs();
  const auto& older = snapshots_[1].files;
  const auto shared =
      std::find_if(snapshots_[0].files.begin(), snapshots_[0].files.end(), [&](const auto& file) {
        return std::any_of(older.begin(), older.end(),
                           [&](const auto& other) { return other.name == file.name; });
      });
  ASSERT_NE(shared, snapshots_[0].files.end());
  Damage(shared->name, 10);
  extents_.clear();  // nothing has changed after the older one
  Tables restored = NewTables();

  const auto stats = RestoreInto(&restored);

  EXPECT_EQ(KindOf(stats.status()), ErrorKind::kCorrupt);
  EXPECT_EQ(ErrorClassOf(stats.status()), "CHECKPOINT_CORRUPT");
  EXPECT_THAT(stats.status().message(), HasSubstr("no sound snapshot"));
}

TEST_F(RestorerTest, WithoutItsOnlySnapshotAGapInTheChangelogIsFatal) {
  RunSomeEpochs();
  snapshots_.pop_back();
  Damage(snapshots_[0].files.back().name, 3);
  extents_.erase(extents_.begin());
  Tables restored = NewTables();

  const auto stats = RestoreInto(&restored);

  EXPECT_EQ(KindOf(stats.status()), ErrorKind::kCorrupt);
  EXPECT_EQ(ErrorClassOf(stats.status()), "CHECKPOINT_CORRUPT");
  EXPECT_THAT(stats.status().message(), HasSubstr("gap"));
}

TEST_F(RestorerTest, DamagedExtentIsFatalOnlyWhereItIsNeeded) {
  RunSomeEpochs();
  Damage(extents_[1].file, extents_[1].offset + 30);
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  EXPECT_EQ(Dump(restored), Dump(tables_));
  snapshots_.erase(snapshots_.begin());
  restored = NewTables();

  const auto stats = RestoreInto(&restored);

  EXPECT_EQ(KindOf(stats.status()), ErrorKind::kCorrupt);
  EXPECT_THAT(stats.status().message(), HasSubstr("expected="));
}

TEST_F(RestorerTest, KeyGroupsMayComeFromDifferentSnapshots) {
  RunSomeEpochs();
  snapshots_[0].key_groups = {1, 3};  // as if two workers had taken them
  snapshots_[1].key_groups = {0, 1, 2, 3};
  Tables restored = NewTables();

  ASSERT_TRUE(RestoreInto(&restored).ok());

  EXPECT_EQ(Dump(restored), Dump(tables_));
}

TEST_F(RestorerTest, SlotsRestoreTheirKeyGroupsAtTheSameTime) {
  RunSomeEpochs();
  Tables restored = NewTables();
  Restorer restorer(RestoreOptions());
  std::vector<std::thread> slots;
  for (uint32_t group = 0; group < kGroups; ++group) {
    slots.emplace_back([&restorer, &restored, group] {
      const auto stats = restorer.Restore(
          {&group, 1}, [&](int32_t, uint32_t wanted) { return restored.at(wanted).get(); });
      EXPECT_TRUE(stats.ok()) << stats.status().ToString();
    });
  }
  for (std::thread& slot : slots) slot.join();

  EXPECT_EQ(Dump(restored), Dump(tables_));
}

TEST_F(RestorerTest, EpochsAfterTheCommittedOneAreLeftOut) {
  RunSomeEpochs();
  const auto expected = Dump(tables_);
  Put("0", 0, "never committed");
  Commit();
  FlushAndSnapshot();
  --epoch_;
  Tables restored = NewTables();

  ASSERT_TRUE(RestoreInto(&restored).ok());

  EXPECT_EQ(Dump(restored), expected);
}

TEST_F(RestorerTest, ANewIncarnationSnapshotsAllRestoredRows) {
  RunSomeEpochs();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  tables_ = std::move(restored);
  StartWorker("two");
  Put("1", 1, "by the second");
  Commit();
  FlushAndSnapshot();
  snapshots_.resize(1);
  extents_.clear();
  restored = NewTables();

  ASSERT_TRUE(RestoreInto(&restored).ok());

  EXPECT_EQ(Dump(restored), Dump(tables_));
}

// A table that did not change for long must not look like a gap when an older base is used.
TEST_F(RestorerTest, FallsBackAcrossARestartAndUnchangedEpochs) {
  Put("a", 1, "x");
  Commit();
  FlushAndSnapshot();
  Put("a", 2, "x");
  Commit();
  for (int i = 0; i < 3; ++i) Commit();
  FlushAndSnapshot();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  tables_ = std::move(restored);
  StartWorker("two");
  Put("a", 3, "x");
  Commit();
  Damage(snapshots_[0].files.back().name, 3);
  restored = NewTables();

  const auto stats = RestoreInto(&restored);

  ASSERT_TRUE(stats.ok()) << stats.status().ToString();
  EXPECT_EQ(Dump(restored), Dump(tables_));
}

TEST_F(RestorerTest, RandomHistoriesSurviveRestartsAtAnyEpoch) {
  const uint64_t seed = TestSeed();
  std::cout << "TIDEMILL_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  for (int incarnation = 0; incarnation < 3; ++incarnation) {
    for (int epoch = 0; epoch < 6; ++epoch) {
      for (uint64_t i = random() % 100; i > 0; --i) {
        const std::string key = std::to_string(random() % 150);
        if (random() % 3 == 0) {
          Erase(key);
        } else {
          Put(key, static_cast<int64_t>(random()), std::string(random() % 50, 'x'));
        }
      }
      if (random() % 4 == 0) {
        for (auto& [group, table] : tables_) table->UndoEpoch();
      }
      Commit();
      if (random() % 3 == 0) FlushAndSnapshot();
    }
    if (!snapshots_.empty() && random() % 2 == 0) snapshots_.erase(snapshots_.begin());
    Tables restored = NewTables();
    const auto stats = RestoreInto(&restored);
    ASSERT_TRUE(stats.ok()) << stats.status().ToString();
    ASSERT_EQ(Dump(restored), Dump(tables_));
    tables_ = std::move(restored);
    StartWorker(std::to_string(incarnation));
  }
}

TEST_F(RestorerTest, VerifyNamesEachDamagedFile) {
  RunSomeEpochs();
  const VerifyReport sound = VerifyState(FileSystem::Local(), state_dir_, snapshots_, extents_);
  EXPECT_TRUE(sound.problems.empty());
  EXPECT_EQ(sound.extents, 3);
  Damage(snapshots_[1].files[0].name, 1);
  Damage(extents_[2].file, extents_[2].offset);

  const VerifyReport damaged = VerifyState(FileSystem::Local(), state_dir_, snapshots_, extents_);

  ASSERT_EQ(damaged.problems.size(), 2u);
  EXPECT_THAT(damaged.problems[0].message(), HasSubstr(snapshots_[1].files[0].name));
  EXPECT_THAT(damaged.problems[1].message(), HasSubstr(extents_[2].file));
  EXPECT_EQ(ErrorClassOf(damaged.problems[1]), "CHECKPOINT_CORRUPT");
}

}  // namespace
}  // namespace tidemill::state
