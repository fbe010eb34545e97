#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

using Rows = std::multiset<std::string>;

// A job on two workers of one slot each: 0 is the first worker's, 1 the second one's.
class JobOnWorkerTest : public ReplayFixture {
 protected:
  void SetUp() override {
    ReplayFixture::SetUp();
    plan_ = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                 connectors::OutputMode::kComplete);
    driver_ = std::make_unique<ScriptedDriver>(2, 1, (root_ / "job").string(),
                                               ScriptedDriver::Kind::kCluster);
  }

  void TearDown() override {
    driver_.reset();
    ReplayFixture::TearDown();
  }

  void Start() {
    driver_->Deploy(plan_, kKeyGroups, /*snapshot_min_bytes=*/1);
    driver_->Assign({}, {}, -1);
  }
  Rows RunEpoch(int epoch, uint64_t attempt, uint64_t committed_attempt) {
    const auto prepared =
        driver_->RunEpoch(EpochRecord(epoch), attempt, epoch - 1, committed_attempt);
    EXPECT_FALSE(prepared.empty()) << driver_->last_failure().ShortDebugString();
    Rows rows;
    for (const proto::Prepared& part : prepared) {
      AddRows(part, &rows);
      extents_.insert(extents_.end(), part.extents().begin(), part.extents().end());
    }
    return rows;
  }
  void Move(std::vector<uint32_t> owners, int64_t committed_epoch) {
    driver_->SetOwners(std::move(owners));
    for (const auto& answer : driver_->Assign({}, extents_, committed_epoch))
      EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
  }

  proto::PhysicalPlan plan_;
  std::unique_ptr<ScriptedDriver> driver_;
  std::vector<proto::Extent> extents_;
};

TEST_F(JobOnWorkerTest, OnlyTheNewestOfTwoAssignsInFlightIsAnswered) {
  const Outcome whole = Run(plan_, 1, 1, "whole");
  Start();
  RunEpoch(0, 1, 0);
  driver_->Commit(0, 1);
  const auto go = driver_->HoldIo();
  driver_->SetOwners({1, 0});

  driver_->SendAssign({}, extents_, 0);
  driver_->SetOwners({0, 0, 1});
  driver_->SendAssign({}, extents_, 0);
  go->set_value();

  for (int i = 0; i < 2; ++i) {
    const proto::ToDriver answer = driver_->NextAnswer();
    EXPECT_EQ(answer.assigned().version(), driver_->assignment_version());
    EXPECT_FALSE(answer.assigned().has_error()) << answer.ShortDebugString();
  }
  EXPECT_EQ(RunEpoch(1, 2, 1), whole.rows[1]);
}

TEST_F(JobOnWorkerTest, KeyGroupsComeAndGoWithSnapshotsInBetween) {
  const Outcome whole = Run(plan_, 1, 1, "whole");
  Start();

  EXPECT_EQ(RunEpoch(0, 1, 0), whole.rows[0]);
  driver_->Commit(0, 1);
  Move({1}, 0);  // The first worker has nothing left.
  EXPECT_EQ(RunEpoch(1, 1, 1), whole.rows[1]);
  driver_->Commit(1, 1);
  Move({0}, 1);
  EXPECT_EQ(RunEpoch(2, 1, 1), whole.rows[2]);
  driver_->Commit(2, 1);
  Move({1, 0}, 2);
  EXPECT_EQ(RunEpoch(3, 1, 1), whole.rows[3]);
}

TEST_F(JobOnWorkerTest, AReportLeavesOutWhatIsStillBeingRestored) {
  Start();
  RunEpoch(0, 1, 0);
  driver_->Commit(0, 1);
  const auto go = driver_->HoldIo();
  driver_->SetOwners({0});
  driver_->SendAssign({}, extents_, 0);

  const auto reports = driver_->Reconnect();
  go->set_value();

  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].key_group_slot(7), 0);
  EXPECT_EQ(reports[0].key_group_slot(8), -1);
  EXPECT_EQ(reports[1].key_group_slot(8), -1);  // It had nothing to wait for.
}

TEST_F(JobOnWorkerTest, DirectoriesThatAreNotSharedAreRefused) {
  const std::string path = (root_ / "nonce").string();
  std::ofstream(path) << "nonce";
  const auto share = [&](const std::string& file, uint64_t checksum) {
    return driver_->TryDeploy(plan_, kKeyGroups, [&](proto::Deploy* deploy) {
      proto::SharedFile* shared = deploy->add_shared_files();
      shared->set_purpose("checkpoint");
      shared->set_path(file);
      shared->set_checksum(checksum);
    })[0];
  };

  EXPECT_FALSE(share(path, Hash64("nonce")).has_error());
  for (const auto& refused : {share(path, Hash64("other")), share(path + "2", Hash64("nonce"))}) {
    EXPECT_EQ(refused.error().error_class(), "NOT_SHARED");
    EXPECT_EQ(refused.error().kind(), static_cast<int>(ErrorKind::kInvalid));
    EXPECT_NE(refused.error().message().find(root_.string()), std::string::npos);
  }
  // A directory cannot be read as a file, whatever it is: no proof of anything, so it is retried.
  const auto unreadable = share(root_.string(), Hash64("nonce"));
  EXPECT_EQ(unreadable.error().error_class(), "SHARED_FILE_UNREADABLE");
  EXPECT_EQ(unreadable.error().kind(), static_cast<int>(ErrorKind::kUnavailable));
}

TEST_F(JobOnWorkerTest, StateBeyondItsMemoryFailsTheAttemptAndNamesTheOperator) {
  driver_->TryDeploy(plan_, kKeyGroups,
                     [](proto::Deploy* deploy) { deploy->set_memory_bytes(1000); });
  driver_->Assign({}, {}, -1);

  const auto prepared = driver_->RunEpoch(EpochRecord(0), 1, -1, 0);

  EXPECT_TRUE(prepared.empty());
  EXPECT_EQ(driver_->last_failure().error().error_class(), "MEMORY_LIMIT_EXCEEDED");
  EXPECT_EQ(driver_->last_failure().error().kind(), static_cast<int>(ErrorKind::kResource));
  EXPECT_NE(driver_->last_failure().error().message().find("stateStoreSave"), std::string::npos)
      << driver_->last_failure().error().message();
}

TEST_F(JobOnWorkerTest, ABrokenAttemptFailsAlsoOncePreparedAndTheNextOneIsWhole) {
  const Outcome whole = Run(plan_, 1, 1, "whole");
  Start();
  RunEpoch(0, 1, 0);

  driver_->ReportBroken(0, 0, 1);
  const proto::ToDriver failed = driver_->NextAnswer();
  driver_->Abort(0, 1);

  EXPECT_EQ(failed.failed().attempt(), 1u);
  EXPECT_EQ(failed.failed().error().kind(), static_cast<int>(ErrorKind::kUnavailable));
  EXPECT_EQ(RunEpoch(0, 2, 0), whole.rows[0]);
}

TEST_F(JobOnWorkerTest, AnAttemptThatIsCommittedIsNotBroken) {
  const Outcome whole = Run(plan_, 1, 1, "whole");
  Start();
  RunEpoch(0, 1, 0);
  driver_->Commit(0, 1);

  driver_->ReportBroken(0, 0, 1);

  EXPECT_EQ(RunEpoch(1, 1, 1), whole.rows[1]);  // Its answers are the next to come.
}

}  // namespace
}  // namespace tidemill::testing
