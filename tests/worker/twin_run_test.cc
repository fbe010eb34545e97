#include <gtest/gtest.h>

#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

class TwinRunTest : public ReplayFixture {};

TEST_F(TwinRunTest, OneSlotAndThreeSlotsGiveTheSameRowsInEveryEpoch) {
  const auto plan = Plan(
      "SELECT k, sum(x) AS s, count(*) AS c, min(n) AS lo, max(x) AS hi, avg(x) AS a FROM t GROUP "
      "BY k",
      connectors::OutputMode::kUpdate);

  const Outcome one = Run(plan, 1, 1, "one");
  const Outcome three = Run(plan, 1, 3, "three");
  const Outcome spread = Run(plan, 3, 2, "spread");

  ASSERT_EQ(one.rows.size(), static_cast<size_t>(kEpochs));
  EXPECT_EQ(one.rows[0].size(), 500u);
  EXPECT_EQ(three.rows, one.rows);
  EXPECT_EQ(spread.rows, one.rows);
}

// What depends on the order of rows, and accumulators of variable size.
constexpr const char* kOrderedQuery =
    "SELECT k, first(n) AS f, last(x) AS l, collect_list(n) AS c, max_by(n, x) AS m, mode(n) AS o, "
    "listagg(CAST(n AS STRING), ',') AS t, percentile(x, 0.3) AS p, stddev(x) AS s, "
    "approx_percentile(n, 0.5, 100) AS a, tdigest_percentile(x, 0.9) AS g, "
    "histogram_numeric(n, 8) AS h, sum(n) FILTER (WHERE x > 10) AS w FROM t GROUP BY k";

TEST_F(TwinRunTest, OrderOfRowsDoesNotDependOnTheNumberOfSlots) {
  const auto plan = Plan(kOrderedQuery, connectors::OutputMode::kUpdate);

  const Outcome one = Run(plan, 1, 1, "one");
  const Outcome spread = Run(plan, 3, 2, "spread");

  EXPECT_EQ(one.rows[3].size(), 500u);
  EXPECT_EQ(spread.rows, one.rows);
}

class RestoredTwinTest : public TwinRunTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Queries, RestoredTwinTest,
                         ::testing::Values("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                                           kOrderedQuery));

TEST_P(RestoredTwinTest, StateRestoredOnAnotherNumberOfSlotsGoesOnEqually) {
  const auto plan = Plan(GetParam(), connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  const std::string shared = (root_ / "moved").string();
  std::vector<proto::Extent> extents;
  {
    ScriptedDriver first(1, 3, shared);
    first.Deploy(plan, kKeyGroups);
    first.Assign({}, {}, -1);
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const auto& part : first.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1)) {
        extents.insert(extents.end(), part.extents().begin(), part.extents().end());
      }
    }
  }

  ScriptedDriver second(2, 1, shared);
  second.Deploy(plan, kKeyGroups);
  for (const auto& assigned : second.Assign({}, extents, 1))
    EXPECT_FALSE(assigned.has_error()) << assigned.ShortDebugString();
  for (int epoch = 2; epoch < kEpochs; ++epoch) {
    std::multiset<std::string> rows;
    for (const auto& part : second.RunEpoch(EpochRecord(epoch), 2, epoch - 1, epoch == 2 ? 1 : 2))
      AddRows(part, &rows);
    EXPECT_EQ(rows, whole.rows[epoch]) << "epoch " << epoch;
  }
}

TEST_F(TwinRunTest, AnAbortedAttemptLeavesNoTrace) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome undisturbed = Run(plan, 1, 2, "undisturbed");
  ScriptedDriver driver(1, 2, (root_ / "disturbed").string());
  driver.Deploy(plan, kKeyGroups);
  driver.Assign({}, {}, -1);
  driver.RunEpoch(EpochRecord(0), 1, -1, 0);

  driver.RunEpoch(EpochRecord(1), 1, 0, 1);
  driver.Abort(1, 1);
  driver.RunEpoch(EpochRecord(1), 2, 0, 1);
  const auto third =
      driver.RunEpoch(EpochRecord(1), 3, 0, 1);  // Attempt 2 is undone without being told.

  std::multiset<std::string> rows;
  for (const auto& part : third) AddRows(part, &rows);
  EXPECT_EQ(rows, undisturbed.rows[1]);
}

// Else a slot could send rows of the first epoch to one that does not know the job.
TEST_F(TwinRunTest, AWorkerIsAssignedWhenEverySlotIs) {
  ScriptedDriver driver(1, 2, (root_ / "assigned").string());
  driver.Deploy(Plan("SELECT k, count(*) AS c FROM t GROUP BY k", connectors::OutputMode::kUpdate),
                kKeyGroups);

  EXPECT_TRUE(driver.AssignmentWaitsForEverySlot());
}

// What a driver does after the epoch that the query's predecessor had planned; a snapshot of the
// first deployment is under way meanwhile.
TEST_F(TwinRunTest, AJobDeployedAgainOnTheSameWorkersGoesOnWithItsState) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  ScriptedDriver driver(2, 2, (root_ / "again").string());
  std::vector<proto::Extent> extents;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    driver.Deploy(plan, kKeyGroups, /*snapshot_min_bytes=*/1);
    driver.Assign({}, extents, epoch - 1);
    const auto prepared = driver.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1);
    ASSERT_FALSE(prepared.empty()) << driver.last_failure().ShortDebugString();
    std::multiset<std::string> rows;
    for (const auto& part : prepared) {
      AddRows(part, &rows);
      extents.insert(extents.end(), part.extents().begin(), part.extents().end());
    }
    EXPECT_EQ(rows, whole.rows[epoch]) << "epoch " << epoch;
    driver.Commit(epoch, 1);
    driver.Undeploy();
  }
}

TEST_F(TwinRunTest, ASnapshotReplacesTheChangelogBeforeIt) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  const std::string shared = (root_ / "snapshots").string();
  std::vector<proto::Extent> extents;
  proto::Snapshot snapshot;
  {
    ScriptedDriver first(1, 2, shared);
    first.Deploy(plan, kKeyGroups, /*snapshot_min_bytes=*/1);
    first.Assign({}, {}, -1);
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (const auto& part : first.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1)) {
        extents.insert(extents.end(), part.extents().begin(), part.extents().end());
      }
    }
    snapshot = first.WaitForSnapshot();
  }
  ASSERT_GE(snapshot.epoch(), 0);
  ASSERT_EQ(snapshot.key_groups_size(), kKeyGroups);
  std::erase_if(extents,
                [&](const proto::Extent& extent) { return extent.epoch() <= snapshot.epoch(); });

  ScriptedDriver second(1, 3, shared);
  second.Deploy(plan, kKeyGroups);
  for (const auto& assigned : second.Assign({snapshot}, extents, 2))
    EXPECT_FALSE(assigned.has_error()) << assigned.ShortDebugString();
  std::multiset<std::string> rows;
  for (const auto& part : second.RunEpoch(EpochRecord(3), 2, 2, 1)) AddRows(part, &rows);

  EXPECT_EQ(rows, whole.rows[3]);
}

}  // namespace
}  // namespace tidemill::testing
