// Jobs whose state does not fit into their memory.
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

using Rows = std::multiset<std::string>;

// Two workers of one slot, and a limit that one epoch's rows fit in, but not two.
class ColdStateTest : public ReplayFixture {
 protected:
  void TearDown() override {
    driver_.reset();
    ReplayFixture::TearDown();
  }

  void Start(const proto::PhysicalPlan& plan, const std::vector<proto::Extent>& extents = {},
             int64_t committed_epoch = -1) {
    driver_ = std::make_unique<ScriptedDriver>(2, 1, (root_ / "job").string(),
                                               ScriptedDriver::Kind::kCluster);
    const auto answers = driver_->TryDeploy(plan, kKeyGroups, [this](proto::Deploy* deploy) {
      deploy->set_memory_bytes(memory_bytes_);
      deploy->set_snapshot_min_bytes(snapshot_min_bytes_);
      deploy->set_snapshot_ratio(1e-6);
    });
    for (const auto& answer : answers) EXPECT_FALSE(answer.has_error());
    for (const auto& answer : driver_->Assign({}, extents, committed_epoch)) {
      EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
      restored_rows_ += answer.restored_rows();
    }
  }
  Rows RunEpoch(int epoch, uint64_t attempt = 1) {
    const auto prepared =
        driver_->RunEpoch(EpochRecord(epoch), attempt, epoch - 1, committed_attempt_);
    EXPECT_FALSE(prepared.empty()) << driver_->last_failure().ShortDebugString();
    Rows rows;
    attempt_extents_.clear();
    rows_total_ = cold_rows_ = cold_lookups_found_ = largest_bytes_ = 0;
    for (const proto::Prepared& part : prepared) {
      AddRows(part, &rows);
      attempt_extents_.insert(attempt_extents_.end(), part.extents().begin(), part.extents().end());
      const proto::OperatorProgress& op = part.operators(0);
      const auto custom = [&](const char* name) {
        const auto found = op.custom().find(name);
        return found == op.custom().end() ? 0 : found->second;
      };
      rows_total_ += op.rows_total();
      cold_rows_ += custom("coldRows");
      cold_lookups_found_ += custom("coldLookupsFound");
      largest_bytes_ = std::max(largest_bytes_, op.memory_bytes());
    }
    return rows;
  }
  void Commit(int epoch, uint64_t attempt = 1) {
    driver_->Commit(epoch, attempt);
    committed_attempt_ = attempt;
    extents_.insert(extents_.end(), attempt_extents_.begin(), attempt_extents_.end());
  }
  // What the same job gives in memory, and a limit from what its first epoch takes there.
  void RunInMemory(const proto::PhysicalPlan& plan) {
    memory_bytes_ = 0;
    Start(plan);
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      whole_.push_back(RunEpoch(epoch));
      whole_totals_.push_back(rows_total_);
      if (epoch == 0) first_bytes_ = largest_bytes_;
      driver_->Commit(epoch, 1);
    }
    EXPECT_EQ(cold_rows_, 0);
    driver_->Undeploy();
    driver_.reset();
    std::filesystem::remove_all(root_ / "job");
    memory_bytes_ = first_bytes_ * 36 / 20;
  }

  proto::PhysicalPlan ManyKeys() {
    return Plan("SELECT k, n, count(*) AS c, sum(x) AS s FROM t GROUP BY k, n",
                connectors::OutputMode::kUpdate);
  }
  proto::PhysicalPlan Distinct() {
    drop_duplicates_ = driver::DropDuplicatesSpec{};
    drop_duplicates_->columns = {"k", "n"};
    return Plan("SELECT * FROM t", connectors::OutputMode::kAppend);
  }

  int64_t memory_bytes_ = 0;
  int64_t snapshot_min_bytes_ = 1 << 30;
  int64_t first_bytes_ = 0;
  std::vector<Rows> whole_;
  std::vector<int64_t> whole_totals_;
  std::unique_ptr<ScriptedDriver> driver_;
  std::vector<proto::Extent> extents_;
  std::vector<proto::Extent> attempt_extents_;
  uint64_t committed_attempt_ = 1;
  int64_t restored_rows_ = 0;
  int64_t rows_total_ = 0;
  int64_t cold_rows_ = 0;
  int64_t cold_lookups_found_ = 0;
  int64_t largest_bytes_ = 0;
};

TEST_F(ColdStateTest, AnAggregationGivesWhatItGivesInMemory) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  Start(plan);

  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    EXPECT_EQ(RunEpoch(epoch), whole_[epoch]) << epoch;
    EXPECT_EQ(rows_total_, whole_totals_[epoch]);
    EXPECT_LT(largest_bytes_, memory_bytes_);
    EXPECT_EQ(cold_rows_ > 1000, epoch > 0);
    EXPECT_EQ(cold_lookups_found_ > 1000, epoch > 0);
    Commit(epoch);
  }
}

TEST_F(ColdStateTest, ADeduplicationGivesWhatItGivesInMemory) {
  const auto plan = Distinct();
  RunInMemory(plan);
  Start(plan);

  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    EXPECT_EQ(RunEpoch(epoch), whole_[epoch]) << epoch;
    EXPECT_EQ(rows_total_, whole_totals_[epoch]);
    EXPECT_EQ(cold_lookups_found_ > 1000, epoch > 0);
    Commit(epoch);
  }
}

TEST_F(ColdStateTest, AnAttemptThatIsUndoneLeavesNothingBehind) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  Start(plan);

  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    RunEpoch(epoch, 1);
    driver_->Abort(epoch, 1);
    EXPECT_EQ(RunEpoch(epoch, 2), whole_[epoch]) << epoch;
    EXPECT_EQ(rows_total_, whole_totals_[epoch]);
    Commit(epoch, 2);
  }
}

TEST_F(ColdStateTest, ARestoreKeepsWithinTheMemory) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  Start(plan);
  for (int epoch = 0; epoch < 3; ++epoch) {
    RunEpoch(epoch);
    Commit(epoch);
  }
  driver_.reset();

  Start(plan, extents_, 2);

  EXPECT_EQ(restored_rows_, whole_totals_[2]);
  EXPECT_EQ(RunEpoch(3), whole_[3]);
  EXPECT_EQ(rows_total_, whole_totals_[3]);
  EXPECT_GT(cold_rows_, 1000);
}

TEST_F(ColdStateTest, SnapshotsHoldColdRowsToo) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  snapshot_min_bytes_ = 1;
  Start(plan);
  for (int epoch = 0; epoch < 3; ++epoch) {
    RunEpoch(epoch);
    Commit(epoch);
  }
  std::vector<proto::Snapshot> snapshots;
  for (int i = 0; i < 2; ++i) snapshots.push_back(driver_->WaitForSnapshot());
  std::ranges::sort(snapshots, std::ranges::greater(), &proto::Snapshot::epoch);
  driver_.reset();
  driver_ = std::make_unique<ScriptedDriver>(2, 1, (root_ / "job").string(),
                                             ScriptedDriver::Kind::kCluster);
  driver_->TryDeploy(plan, kKeyGroups,
                     [this](proto::Deploy* deploy) { deploy->set_memory_bytes(memory_bytes_); });

  for (const auto& answer : driver_->Assign(snapshots, extents_, 2))
    restored_rows_ += answer.restored_rows();

  EXPECT_EQ(restored_rows_, whole_totals_[2]);
  EXPECT_EQ(RunEpoch(3), whole_[3]);
  EXPECT_EQ(rows_total_, whole_totals_[3]);
}

TEST_F(ColdStateTest, KeyGroupsThatMoveTakeTheirColdRowsAlong) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  memory_bytes_ = first_bytes_ * 22 / 10;  // a move brings many rows at once
  Start(plan);
  const std::vector<std::vector<uint32_t>> owners = {{0, 1}, {1, 0}, {0, 0, 1, 1}, {0, 1}};

  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    if (epoch > 0) {
      driver_->SetOwners(owners[epoch]);
      for (const auto& answer : driver_->Assign({}, extents_, epoch - 1))
        EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
    }
    EXPECT_EQ(RunEpoch(epoch), whole_[epoch]) << epoch;
    EXPECT_EQ(rows_total_, whole_totals_[epoch]);
    Commit(epoch);
  }
}

TEST_F(ColdStateTest, TheNextDriverTakesColdRowsOver) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  Start(plan);
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const uint64_t attempt = epoch + 1;
    EXPECT_EQ(RunEpoch(epoch, attempt), whole_[epoch]) << epoch;
    EXPECT_EQ(rows_total_, whole_totals_[epoch]);
    EXPECT_EQ(cold_rows_ > 1000, epoch > 0);
    Commit(epoch, attempt);
    // Not as long as captured rows are on their way to the tier.
    driver_->Reconnect(/*waits=*/true);
    driver_->Adopt(epoch, attempt);
    for (const auto& answer : driver_->Assign({}, {}, epoch)) {
      EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
      EXPECT_EQ(answer.restored_rows(), 0);
    }
  }
}

// A snapshot is whole, also where most of its rows were flushed for the driver before.
TEST_F(ColdStateTest, SnapshotsForTheNextDriverHoldColdRowsToo) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  snapshot_min_bytes_ = 1;
  Start(plan);
  for (int epoch = 0; epoch < 2; ++epoch) {
    RunEpoch(epoch);
    Commit(epoch);
  }
  ASSERT_GT(cold_rows_, 1000);
  driver_->Reconnect(/*waits=*/true);
  driver_->Adopt(1, 1);
  driver_->Assign({}, {}, 1);
  RunEpoch(2, 2);
  Commit(2, 2);
  std::vector<proto::Snapshot> snapshots;
  while (snapshots.size() < 2) {
    proto::Snapshot snapshot = driver_->WaitForSnapshot();
    if (snapshot.epoch() == 2) snapshots.push_back(std::move(snapshot));
  }
  driver_.reset();
  driver_ = std::make_unique<ScriptedDriver>(2, 1, (root_ / "job").string(),
                                             ScriptedDriver::Kind::kCluster);
  driver_->TryDeploy(plan, kKeyGroups,
                     [this](proto::Deploy* deploy) { deploy->set_memory_bytes(memory_bytes_); });

  for (const auto& answer : driver_->Assign(snapshots, {}, 2))
    restored_rows_ += answer.restored_rows();

  EXPECT_EQ(restored_rows_, whole_totals_[2]);
  EXPECT_EQ(RunEpoch(3), whole_[3]);
  EXPECT_EQ(rows_total_, whole_totals_[3]);
}

TEST_F(ColdStateTest, AnEpochThatDoesNotFitFailsAndSaysWhatToDo) {
  const auto plan = ManyKeys();
  RunInMemory(plan);
  memory_bytes_ = first_bytes_ / 2;
  Start(plan);

  EXPECT_TRUE(driver_->RunEpoch(EpochRecord(0), 1, -1, 0).empty());

  const proto::Error& error = driver_->last_failure().error();
  EXPECT_EQ(error.error_class(), "MEMORY_LIMIT_EXCEEDED");
  EXPECT_NE(error.hint().find("maxFilesPerTrigger"), std::string::npos) << error.hint();
}

TEST_F(ColdStateTest, AStateThatIsWalkedIsNotEvicted) {
  RunInMemory(
      Plan("SELECT k, n, count(*) AS c FROM t GROUP BY k, n", connectors::OutputMode::kComplete));
  memory_bytes_ = first_bytes_ * 19 / 10;
  Start(Plan("SELECT k, n, count(*) AS c FROM t GROUP BY k, n", connectors::OutputMode::kComplete));

  int epoch = 0;
  while (epoch < kEpochs && !driver_->RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1).empty())
    driver_->Commit(epoch++, 1);

  EXPECT_GT(epoch, 0);
  EXPECT_EQ(driver_->last_failure().error().error_class(), "MEMORY_LIMIT_EXCEEDED");
}

}  // namespace
}  // namespace tidemill::testing
