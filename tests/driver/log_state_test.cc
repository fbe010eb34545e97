#include "driver/log/log_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/driver/log_fixture.h"

namespace tidemill::driver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LogStateTest : public LogFixture {
 protected:
  void Apply(const proto::LogRecord& record) {
    const arrow::Status applied = state_.Apply(record);
    ASSERT_TRUE(applied.ok()) << applied;
  }

  // Plans and commits the next epoch with an extent of all groups in `segment`.
  void CommitNext(const std::string& segment, const std::vector<proto::Snapshot>& snapshots = {}) {
    const int64_t epoch = state_.last_committed() + 1;
    Apply(Plan(epoch));
    proto::LogRecord record = Commit(epoch);
    auto* extent = record.mutable_commit()->add_extents();
    extent->set_file(segment);
    extent->set_epoch(epoch);
    for (uint32_t group = 0; group < 4; ++group) extent->add_key_groups(group);
    for (const auto& snapshot : snapshots) *record.mutable_commit()->add_snapshots() = snapshot;
    Apply(record);
  }

  static proto::Snapshot Snap(int64_t epoch, const std::vector<std::string>& files,
                              const std::vector<uint32_t>& groups = {0, 1, 2, 3}) {
    proto::Snapshot snapshot;
    snapshot.set_id("s" + std::to_string(epoch));
    snapshot.set_epoch(epoch);
    for (const uint32_t group : groups) snapshot.add_key_groups(group);
    for (const std::string& file : files) snapshot.add_files()->set_name(file);
    return snapshot;
  }

  std::vector<int64_t> ExtentEpochs() const {
    std::vector<int64_t> epochs;
    for (const auto& extent : state_.extents()) epochs.push_back(extent.epoch());
    return epochs;
  }

  LogState state_{4};
};

TEST_F(LogStateTest, FollowsPlansAndCommits) {
  Apply(Plan(0));
  EXPECT_EQ(state_.open_plan()->epoch(), 0);
  Apply(CommitAndPlan(0));

  EXPECT_EQ(state_.last_committed(), 0);
  EXPECT_EQ(state_.committed_plan_hash(), PlanHash(Plan(0).plan().plan()));
  EXPECT_EQ(state_.open_plan()->epoch(), 1);
  EXPECT_EQ(state_.epoch_time_us(), 1001);
  EXPECT_EQ(state_.replays().size(), 1u);
}

TEST_F(LogStateTest, RefusesEpochsOutOfOrder) {
  EXPECT_EQ(ExitCodeOf(state_.Apply(Plan(1))), 9);
  EXPECT_EQ(ExitCodeOf(state_.Apply(Commit(0))), 9);
  Apply(Plan(0));
  EXPECT_EQ(ExitCodeOf(state_.Apply(Plan(0))), 9) << "planned twice";
  EXPECT_EQ(ExitCodeOf(state_.Apply(Commit(1))), 9);
}

TEST_F(LogStateTest, RefusesACommitOfAnotherPlan) {
  Apply(Plan(0));
  proto::LogRecord commit = Commit(0);
  commit.mutable_commit()->set_plan_hash(1);
  EXPECT_EQ(ExitCodeOf(state_.Apply(commit)), 9);
}

TEST_F(LogStateTest, WithoutTwoSnapshotsEveryExtentIsKept) {
  CommitNext("a");
  CommitNext("a", {Snap(0, {"x"})});
  CommitNext("b");

  EXPECT_THAT(ExtentEpochs(), ElementsAre(0, 1, 2));
  EXPECT_THAT(state_.Garbage({}), IsEmpty());
}

TEST_F(LogStateTest, KeepsTheTwoNewestSnapshotsAndTheExtentsAfterTheOlder) {
  CommitNext("a");
  CommitNext("a", {Snap(0, {"x", "shared"})});
  CommitNext("b", {Snap(1, {"y", "shared"})});
  CommitNext("b", {Snap(2, {"z", "shared"})});

  EXPECT_THAT(ExtentEpochs(), ElementsAre(2, 3));
  EXPECT_EQ(state_.snapshots().size(), 2u);
  EXPECT_THAT(state_.Garbage({}), ElementsAre("state/a", "state/x"));
  EXPECT_THAT(state_.Garbage({"state/a"}), ElementsAre("state/x")) << "still appended to";
}

TEST_F(LogStateTest, ASnapshotOfSomeKeyGroupsFreesNothingOfTheOthers) {
  CommitNext("a");
  CommitNext("b", {Snap(0, {"x"})});
  CommitNext("c", {Snap(1, {"y"}, {0, 1})});
  CommitNext("d", {Snap(2, {"z"}, {0, 1})});

  EXPECT_THAT(ExtentEpochs(), ElementsAre(0, 1, 2, 3)) << "groups 2 and 3 have one snapshot";
  EXPECT_EQ(state_.snapshots().size(), 3u);
  EXPECT_THAT(state_.Garbage({}), IsEmpty());
}

TEST_F(LogStateTest, DroppedFilesAreForgotten) {
  CommitNext("a");
  CommitNext("b", {Snap(0, {"x"})});
  CommitNext("c", {Snap(1, {"y"})});
  EXPECT_THAT(state_.Garbage({}), ElementsAre("state/a"));

  proto::LogRecord drop;
  drop.mutable_drop()->add_files("state/a");
  Apply(drop);

  EXPECT_THAT(state_.Garbage({}), IsEmpty());
}

TEST_F(LogStateTest, ABaseStandsForAllRecordsBeforeIt) {
  CommitNext("a");
  CommitNext("b", {Snap(0, {"x"})});
  CommitNext("c", {Snap(1, {"y"})});
  proto::LogRecord base;
  *base.mutable_base() = state_.MakeBase({"position"});

  LogState restored(4);
  ASSERT_TRUE(restored.Apply(base).ok());
  Apply(base);

  for (const LogState* state : {&state_, &restored}) {
    EXPECT_EQ(state->last_committed(), 2);
    EXPECT_EQ(state->committed_plan_hash(), PlanHash(Plan(2).plan().plan()));
    EXPECT_EQ(state->epoch_time_us(), 1002);
    EXPECT_EQ(state->commits_since_base(), 0);
    EXPECT_THAT(state->source_snapshots(), ElementsAre("position"));
    EXPECT_EQ(state->extents().size(), 2u);
    EXPECT_EQ(state->snapshots().size(), 2u);
    EXPECT_THAT(state->Garbage({}), ElementsAre("state/a"));
  }
}

TEST_F(LogStateTest, ABaseOfAnotherEpochIsRefused) {
  CommitNext("a");
  EXPECT_EQ(ExitCodeOf(state_.Apply(Base(4))), 9);
  EXPECT_TRUE(LogState(4).Apply(Base(4)).ok()) << "the first record of a log may be any";
}

}  // namespace
}  // namespace tidemill::driver
