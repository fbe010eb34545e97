#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

using Rows = std::multiset<std::string>;

// A job of two workers whose driver goes away and comes back, in each state that an epoch can be
// in. The rows of the epochs afterwards are those of a run without that.
class JobAdoptionTest : public ReplayFixture {
 protected:
  void SetUp() override {
    ReplayFixture::SetUp();
    plan_ = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                 connectors::OutputMode::kComplete);
    whole_ = Run(plan_, 1, 1, "whole");
  }

  std::unique_ptr<ScriptedDriver> Start(int64_t snapshot_min_bytes = 0) {
    auto driver = std::make_unique<ScriptedDriver>(2, 2, (root_ / "cluster").string(),
                                                   ScriptedDriver::Kind::kCluster);
    driver->Deploy(plan_, kKeyGroups, snapshot_min_bytes);
    driver->Assign({}, {}, -1);
    return driver;
  }

  Rows RunEpoch(ScriptedDriver* driver, int epoch, uint64_t attempt, uint64_t committed_attempt) {
    const auto prepared =
        driver->RunEpoch(EpochRecord(epoch), attempt, epoch - 1, committed_attempt);
    EXPECT_FALSE(prepared.empty()) << driver->last_failure().ShortDebugString();
    Rows rows;
    for (const proto::Prepared& part : prepared) {
      AddRows(part, &rows);
      extents_.insert(extents_.end(), part.extents().begin(), part.extents().end());
    }
    return rows;
  }

  // Nothing is restored: what the workers have is all there is.
  static void AssignAsBefore(ScriptedDriver* driver, int64_t committed_epoch) {
    for (const proto::Assigned& answer : driver->Assign({}, {}, committed_epoch)) {
      EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
      EXPECT_EQ(answer.restored_rows(), 0);
    }
  }

  proto::PhysicalPlan plan_;
  Outcome whole_;
  std::vector<proto::Extent> extents_;
};

TEST_F(JobAdoptionTest, AnIdleJobGoesOn) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  driver->Commit(0, 1);

  const auto reports = driver->Reconnect();
  driver->Adopt(0, 1);
  AssignAsBefore(driver.get(), 0);

  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].committed_epoch(), 0);
  EXPECT_EQ(reports[0].open_epoch(), -1);
  EXPECT_THAT(reports[0].key_group_slot(),
              ::testing::ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1));
  EXPECT_EQ(reports[1].key_group_slot(15), 1);
  EXPECT_EQ(RunEpoch(driver.get(), 1, 2, 1), whole_.rows[1]);
}

TEST_F(JobAdoptionTest, ARunningAttemptIsUndone) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  const auto go = driver->HoldSlot();
  driver->SendRun(EpochRecord(1), 1, 0, 1);

  const auto reports = driver->Reconnect();
  driver->Adopt(0, 1);
  go->set_value();
  AssignAsBefore(driver.get(), 0);

  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].committed_epoch(), 0);
  EXPECT_EQ(reports[1].open_epoch(), 1);
  EXPECT_EQ(reports[1].open_attempt(), 1u);
  EXPECT_FALSE(reports[1].is_prepared());
  EXPECT_EQ(RunEpoch(driver.get(), 1, 2, 1), whole_.rows[1]);
}

TEST_F(JobAdoptionTest, APreparedAttemptThatWasNotCommittedIsUndone) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  RunEpoch(driver.get(), 1, 1, 1);

  const auto reports = driver->Reconnect();
  driver->Adopt(0, 1);
  AssignAsBefore(driver.get(), 0);

  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].committed_epoch(), 0);
  EXPECT_EQ(reports[0].open_epoch(), 1);
  EXPECT_TRUE(reports[0].is_prepared());
  EXPECT_EQ(RunEpoch(driver.get(), 1, 2, 1), whole_.rows[1]);
}

TEST_F(JobAdoptionTest, APreparedAttemptThatWasCommittedIsKept) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  RunEpoch(driver.get(), 1, 1, 1);

  driver->Reconnect();
  driver->Adopt(1, 1);
  AssignAsBefore(driver.get(), 1);

  EXPECT_EQ(RunEpoch(driver.get(), 2, 2, 1), whole_.rows[2]);
}

// What they wrote for the driver before may be gone from the checkpoint.
TEST_F(JobAdoptionTest, TheNextSnapshotHoldsAllRowsAndTheChangelogIsANewFile) {
  const auto driver = Start(/*snapshot_min_bytes=*/1);
  RunEpoch(driver.get(), 0, 1, 0);
  driver->Commit(0, 1);
  driver->WaitForSnapshot();
  driver->WaitForSnapshot();
  const auto before = std::exchange(extents_, {});

  driver->Reconnect();
  driver->Adopt(0, 1);
  AssignAsBefore(driver.get(), 0);
  RunEpoch(driver.get(), 1, 2, 1);
  driver->Commit(1, 2);

  for (const proto::Extent& extent : extents_) {
    for (const proto::Extent& old : before) EXPECT_NE(extent.file(), old.file());
  }
  const std::vector<proto::Snapshot> snapshots = {driver->WaitForSnapshot(),
                                                  driver->WaitForSnapshot()};
  ScriptedDriver other(1, 1, (root_ / "cluster").string());
  other.Deploy(plan_, kKeyGroups);
  for (const auto& assigned : other.Assign(snapshots, {}, 1))
    EXPECT_FALSE(assigned.has_error()) << assigned.ShortDebugString();
  EXPECT_EQ(RunEpoch(&other, 2, 3, 2), whole_.rows[2]);
}

TEST_F(JobAdoptionTest, TablesOfAnotherEpochAreNotAssigned) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);

  driver->Reconnect();
  driver->Adopt(-1, 0);

  for (const proto::Assigned& answer : driver->Assign({}, {}, 0))
    EXPECT_EQ(answer.error().error_class(), "ASSIGNMENT_STATE");
}

TEST_F(JobAdoptionTest, NothingIsTakenFromADriverThatDidNotAdopt) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  driver->Reconnect();

  driver->Abort(0, 1);
  driver->Adopt(0, 1);
  AssignAsBefore(driver.get(), 0);

  EXPECT_EQ(RunEpoch(driver.get(), 1, 2, 1), whole_.rows[1]);
}

TEST_F(JobAdoptionTest, AJobDeployedAgainBeginsAnew) {
  const auto driver = Start();
  RunEpoch(driver.get(), 0, 1, 0);
  driver->Reconnect();

  driver->Deploy(plan_, kKeyGroups);
  driver->Assign({}, {}, -1);

  EXPECT_EQ(RunEpoch(driver.get(), 0, 2, 0), whole_.rows[0]);
}

}  // namespace
}  // namespace tidemill::testing
