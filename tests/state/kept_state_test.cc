#include "state/durable/kept_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/error.h"
#include "job_testing.h"

namespace tidemill::state {
namespace {

// A worker that ends in order, and comes back beside a checkpoint.
class KeptStateTest : public JobFixture {
 protected:
  void Begin() { history_.Restored(kAll, {}, {}, -1); }
  void CommitHere() {
    Commit();
    history_.Changed(std::make_shared<const Extent>(extents_.back()));
  }
  void SnapshotHere() { history_.TookSnapshot(FlushAndSnapshot().id); }

  void Keep() {
    FlushBatch batch;
    for (auto& [group, table] : tables_) batch.Add(0, group, table.get());
    const auto writer =
        KeptWriter::Begin(Path(), history_.Describe(epoch_, {{0, 2}, {1, 3}})).ValueOrDie();
    ASSERT_TRUE(writer->AddRows(0, batch).ok());
    ASSERT_TRUE(writer->Finish(tier_->flushed_epoch() < 0 ? nullptr : tier_.get()).ok());
    tier_.reset();
  }
  Restorer::Stats Restore(Tables* restored) {
    Restorer::Options options = RestoreOptions();
    options.kept = KeptTables::Open(Path()).ValueOrDie();
    return RestoreInto(restored, std::move(options)).ValueOrDie();
  }
  std::string Path() const { return JoinPath(directory_.path(), "kept"); }
  // Whoever reads them fails.
  void RemoveCheckpoint() const {
    std::filesystem::remove_all(state_dir_);
    std::filesystem::create_directory(state_dir_);
  }

  static constexpr uint32_t kAll[] = {0, 1, 2, 3};
  TableHistory history_;
};

TEST_F(KeptStateTest, NothingElseIsReadAfterACleanEnd) {
  Begin();
  for (int i = 0; i < 100; ++i) Put(std::to_string(i), i, "first");
  PutWord(tables_[0].get(), std::nullopt, -1, "null key");
  CommitHere();
  SnapshotHere();
  for (int i = 0; i < 100; i += 3) Put(std::to_string(i), i, "second");
  for (int i = 0; i < 100; i += 10) Erase(std::to_string(i));
  CommitHere();
  Keep();
  RemoveCheckpoint();
  Tables restored = NewTables();

  const auto stats = Restore(&restored);

  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats.rows, 91);
  EXPECT_GT(stats.kept_rows, 91);  // of the database, and what changed after it
  EXPECT_EQ(stats.snapshot_rows + stats.changelog_rows, 0);
  for (uint32_t group = 0; group < kGroups; ++group)
    EXPECT_EQ(restored[group]->last_changed_epoch(), tables_[group]->last_changed_epoch());
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

// Its changes are in a snapshot, and the changelog before that is gone.
TEST_F(KeptStateTest, AGroupThatHasNotChangedForLongIsKnownByASnapshot) {
  Begin();
  for (int i = 0; i < 20; ++i) Put(std::to_string(i), i, "first");
  CommitHere();
  for (int round = 0; round < 3; ++round) {
    PutWord(tables_[0].get(), "only here", round, "changes");
    CommitHere();
    SnapshotHere();
  }
  snapshots_.resize(2);
  std::erase_if(extents_, [&](const Extent& one) { return one.epoch <= snapshots_[1].epoch; });
  Keep();
  RemoveCheckpoint();
  Tables restored = NewTables();

  EXPECT_EQ(Restore(&restored).kept_rows, 21);
  EXPECT_EQ(Dump(restored), Dump(tables_));
}

TEST_F(KeptStateTest, WhatCameAfterItIsReadFromTheChangelogAlone) {
  Begin();
  for (int i = 0; i < 50; ++i) Put(std::to_string(i), i, "first");
  CommitHere();
  SnapshotHere();
  Keep();
  StartWorker("another, meanwhile");
  Put("7", 7, "later");
  Erase("8");
  Commit();
  Tables restored = NewTables();

  const auto stats = Restore(&restored);

  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats.kept_rows, 50);
  EXPECT_EQ(stats.changelog_rows, 2);
  EXPECT_EQ(stats.snapshot_rows, 0);
}

// The checkpoint was set back to a copy and went on from there, so that the same epochs have other
// rows.
TEST_F(KeptStateTest, AnotherHistoryIsNotTakenForIt) {
  Begin();
  for (int i = 0; i < 50; ++i) Put(std::to_string(i), i, "first");
  CommitHere();
  SnapshotHere();
  const auto snapshots = snapshots_;
  const auto extents = extents_;
  for (int i = 0; i < 50; ++i) Put(std::to_string(i), i, "lost");
  CommitHere();
  SnapshotHere();
  Keep();

  StartWorker("another");
  snapshots_ = snapshots;
  extents_ = extents;
  --epoch_;
  tables_ = NewTables();
  ASSERT_TRUE(RestoreInto(&tables_).ok());
  for (int i = 0; i < 50; ++i) Put(std::to_string(i), i, "other");
  Commit();
  Tables restored = NewTables();

  const auto stats = Restore(&restored);

  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats.kept_rows, 0);
}

// Of a group that came here again after others had changed it, an old snapshot says nothing.
TEST_F(KeptStateTest, ASnapshotFromBeforeOthersHadTheGroupDoesNotFit) {
  Begin();
  Put("a", 1, "first");
  CommitHere();
  SnapshotHere();
  const std::vector<Snapshot> first = snapshots_;
  for (int i = 0; i < 2; ++i) {
    Put("a", 2, "elsewhere");
    Commit();
    FlushAndSnapshot();
  }
  const uint32_t group = GroupOf("a");
  history_.Restored({&group, 1}, snapshots_, {}, epoch_);

  const KeptState kept = history_.Describe(epoch_, {{group}});

  EXPECT_EQ(kept.FitOf(group, first, {}), std::nullopt);
  EXPECT_EQ(kept.FitOf(group, snapshots_, {}), epoch_);
}

TEST_F(KeptStateTest, DamageOfTheDatabaseLeadsToTheCheckpoint) {
  Begin();
  for (int i = 0; i < 500; ++i) Put(std::to_string(i), i, std::string(100, 'x'));
  CommitHere();
  SnapshotHere();
  Keep();
  for (const auto& entry : std::filesystem::directory_iterator(Path() + "/db")) {
    // Not the snapshot's file, which it may be linked with.
    if (entry.path().extension() != ".sst") continue;
    std::filesystem::remove(entry.path());
    ASSERT_TRUE(FileSystem::Local()->Create(entry.path().string()).ok());
  }
  Tables restored = NewTables();

  const auto stats = Restore(&restored);

  EXPECT_EQ(Dump(restored), Dump(tables_));
  EXPECT_EQ(stats.kept_rows, 0);
  EXPECT_EQ(stats.snapshot_rows, 500);
}

TEST_F(KeptStateTest, DamageOfTheListIsNoticed) {
  Begin();
  Put("a", 1, "first");
  CommitHere();
  Keep();
  const std::string path = Path() + "/KEPT";
  std::string text = ReadFile(FileSystem::Local(), path).ValueOrDie();
  text[text.find("epoch ") + 6] ^= 1;
  ASSERT_TRUE(FileSystem::Local()->Remove(path).ok());
  ASSERT_TRUE(PublishFile(FileSystem::Local(), path, text).ok());

  const auto opened = KeptTables::Open(Path());

  EXPECT_EQ(ErrorClassOf(opened.status()), "CHECKPOINT_CORRUPT");
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

}  // namespace
}  // namespace tidemill::state
