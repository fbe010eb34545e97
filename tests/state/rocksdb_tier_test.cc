#include "state/durable/rocksdb_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/error.h"
#include "job_testing.h"
#include "state/durable/flush_policy.h"

namespace tidemill::state {
namespace {

class RocksDbTierTest : public JobFixture {
 protected:
  std::set<std::string> FilesInCheckpoint() {
    std::set<std::string> names;
    const auto entries = FileSystem::Local()->List(state_dir_).ValueOrDie();
    for (const FileInfo& entry : entries) names.insert(BaseName(entry.path));
    return names;
  }
};

TEST_F(RocksDbTierTest, SnapshotsCopyOnlyNewTableFiles) {
  for (int i = 0; i < 1000; ++i) Put(std::to_string(i), i, std::string(100, 'x'));
  Commit();
  const Snapshot first = FlushAndSnapshot();
  const auto before = FilesInCheckpoint();
  Put("1", 1, "changed");
  Commit();

  const Snapshot second = FlushAndSnapshot();

  int64_t new_bytes = 0;
  int shared = 0;
  for (const SnapshotFile& file : second.files) {
    if (before.contains(file.name)) {
      ++shared;
    } else {
      new_bytes += file.size;
    }
  }
  EXPECT_GE(shared, 1);
  EXPECT_LT(new_bytes, 20'000);
  EXPECT_EQ(second.epoch, 1);
  EXPECT_THAT(second.key_groups, ::testing::ElementsAre(0, 1, 2, 3));
  EXPECT_NE(first.id, second.id);
  for (const SnapshotFile& file : second.files)
    EXPECT_EQ(FileSystem::Local()->Stat(JoinPath(state_dir_, file.name))->size, file.size);
}

TEST_F(RocksDbTierTest, ALocalDirectoryHasOneOwner) {
  const auto second = RocksDbTier::Open({.fs = FileSystem::Local(),
                                         .local_dir = JoinPath(directory_.path(), "data/one"),
                                         .state_dir = state_dir_,
                                         .worker = "w",
                                         .incarnation = "one",
                                         .operators = {0}});

  EXPECT_EQ(KindOf(second.status()), ErrorKind::kConflict);
  EXPECT_EQ(ErrorClassOf(second.status()), "STATE_DIRECTORY_IN_USE");
}

TEST_F(RocksDbTierTest, DirectoriesOfDeadIncarnationsAreRemovedAndLiveOnesKept) {
  const std::string data = JoinPath(directory_.path(), "data");
  ASSERT_TRUE(FileSystem::Local()->CreateDirectories(data + "/dead/db").ok());
  (void)FileSystem::Local()->Create(data + "/dead/lock").ValueOrDie();

  RocksDbTier::RemoveStale(data);

  EXPECT_FALSE(FileSystem::Local()->Stat(data + "/dead").ok());
  EXPECT_TRUE(FileSystem::Local()->Stat(data + "/one").ok());
}

TEST_F(RocksDbTierTest, DroppedKeyGroupsAreGoneFromLaterSnapshots) {
  PutWord(tables_[1].get(), "stays", 1, "x");
  PutWord(tables_[2].get(), "goes", 1, "x");
  PutWord(tables_[2].get(), std::nullopt, 1, "x");
  Commit();
  FlushAndSnapshot();
  const std::vector<uint32_t> dropped = {2};

  ASSERT_TRUE(tier_->DropKeyGroups(dropped).ok());

  Snapshot snapshot = tier_->TakeSnapshot().ValueOrDie();
  EXPECT_THAT(snapshot.key_groups, ::testing::ElementsAre(0, 1, 3));
  snapshot.key_groups = {0, 1, 2, 3};
  snapshots_ = {snapshot};
  extents_.clear();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  EXPECT_THAT(Dump(restored), ::testing::ElementsAre("stays=1/x"));
}

TEST_F(RocksDbTierTest, AKeyGroupThatComesBackHoldsOnlyWhatIsFlushedAgain) {
  PutWord(tables_[2].get(), "removed elsewhere", 1, "x");
  PutWord(tables_[2].get(), "stays", 1, "x");
  Commit();
  FlushAndSnapshot();
  tables_[2] = WordTable();
  PutWord(tables_[2].get(), "stays", 2, "y");
  Commit();
  const std::vector<uint32_t> dropped = {2, 2};

  ASSERT_TRUE(tier_->DropKeyGroups(dropped).ok());
  snapshots_ = {FlushAndSnapshot()};

  extents_.clear();
  Tables restored = NewTables();
  ASSERT_TRUE(RestoreInto(&restored).ok());
  EXPECT_THAT(Dump(restored), ::testing::ElementsAre("stays=2/y"));
}

TEST_F(RocksDbTierTest, TheLocalDirectoryGoesWithTheTier) {
  Put("a", 1, "x");
  Commit();
  FlushAndSnapshot();

  tier_.reset();

  EXPECT_FALSE(FileSystem::Local()->Stat(JoinPath(directory_.path(), "data/one")).ok());
}

TEST(FlushPolicyTest, FlushesOnceTheChangelogOutgrowsTheStateAndTheMinimum) {
  const FlushPolicy policy{.min_bytes = 100};

  EXPECT_FALSE(policy.ShouldFlush(100, 0));
  EXPECT_TRUE(policy.ShouldFlush(101, 0));
  EXPECT_FALSE(policy.ShouldFlush(500, 500));
  EXPECT_TRUE(policy.ShouldFlush(501, 500));
}

}  // namespace
}  // namespace tidemill::state
