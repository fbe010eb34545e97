// A running job while workers join, leave, die and come back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "driver/job/job_runner.h"
#include "driver/log/log_reader.h"
#include "tests/driver/log_fixture.h"
#include "tests/driver/simulation.h"

namespace tidemill::driver {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ElasticJobTest : public LogFixture {
 protected:
  // A job that never ends by itself and waits for workers, with these.
  void Start(int workers, JobDefinition definition) {
    run_.result.reset();
    JobEnvironment environment = FakeEnvironment(&simulation_, fs_, &world_);
    environment.waits_for_workers = true;
    environment.on_phase = [this](JobPhase phase, const arrow::Status&) {
      phases_.push_back(phase);
    };
    environment.on_slots = [this](int slots) { slots_.push_back(slots); };
    for (int i = 0; i < workers; ++i) {
      run_.workers.push_back(std::make_shared<FakeWorker>(fmt::format("w{}", i), fs_));
      environment.workers.push_back(run_.workers.back()->Connect(&simulation_));
    }
    run_.runner = JobRunner::Start(std::move(definition), std::move(environment),
                                   [this](JobResult result) { run_.result = std::move(result); });
  }
  void Start(int workers) { Start(workers, SomeJob(checkpoint_, TriggerKind::kDefault)); }
  // The driver's process dies and another one takes over with the workers that live.
  void RestartDriver() {
    run_.CrashDriver(&simulation_);
    Start(0);
    for (const auto& worker : run_.workers) run_.runner->AddWorker(worker->Connect(&simulation_));
  }
  FakeWorker& Worker(int index) { return *run_.workers[index]; }
  void Join(const std::string& name) {
    run_.workers.push_back(std::make_shared<FakeWorker>(name, fs_));
    run_.runner->AddWorker(run_.workers.back()->Connect(&simulation_));
  }
  template <class Condition>
  void RunUntil(Condition condition) {
    run_.RunUntil(&simulation_, condition);
  }
  // Until an epoch with these records is committed and known to the workers.
  void RunEpochTo(int64_t available) {
    world_.available = available;
    const size_t epochs = world_.source_commits.size();
    RunUntil([&] { return world_.source_commits.size() > epochs; });
    for (int i = 0; i < 20; ++i) simulation_.RunOne();
  }
  void Stop() {
    run_.runner->Stop(StopMode::kDrain);
    ASSERT_TRUE(run_.Finish(&simulation_));
  }

  Simulation simulation_;
  World world_;
  JobRun run_;
  std::vector<JobPhase> phases_;
  std::vector<int> slots_;
};

TEST_F(ElasticJobTest, WaitsForAWorkerAndTellsSo) {
  world_.available = 3;
  Start(0);
  RunUntil([&] { return !phases_.empty(); });
  EXPECT_THAT(phases_, ElementsAre(JobPhase::kWaitingForWorkers));

  Join("a");
  RunUntil([&] { return world_.epochs.size() == 1; });
  Stop();
  EXPECT_THAT(phases_, ElementsAre(JobPhase::kWaitingForWorkers, JobPhase::kStarting,
                                   JobPhase::kRunning, JobPhase::kStopping));
  EXPECT_THAT(slots_, ElementsAre(2));
}

TEST_F(ElasticJobTest, AWorkerThatJoinsIsSentOnlyWhatItIsGiven) {
  Start(1);
  RunEpochTo(3);
  Join("x");
  RunEpochTo(5);
  Stop();

  EXPECT_EQ(world_.Rows(), "0-3;3-5;");
  EXPECT_THAT(Worker(0).assigns.back().extents(), IsEmpty()) << "it has all that it keeps";
  EXPECT_THAT(Worker(1).assigns.back().extents(), SizeIs(1));
  EXPECT_EQ(Worker(1).assigns.back().workers_size(), 2);
  EXPECT_EQ(Worker(1).assigns.back().workers(1).exchange_address(), "x:1");
  EXPECT_THAT(slots_, ElementsAre(2, 4));
}

TEST_F(ElasticJobTest, AReleasedWorkerHandsItsKeyGroupsOver) {
  Start(2);
  RunEpochTo(3);
  run_.runner->ReleaseWorker("w0");
  RunUntil([&] { return !Worker(0).is_connected(); });
  RunEpochTo(6);

  EXPECT_THAT(Worker(0).received, Contains("Undeploy"));
  EXPECT_THAT(Worker(0).received, Not(Contains("Abort 0.1")));
  EXPECT_THAT(Worker(1).key_groups(), SizeIs(4));
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, AWorkerThatJoinsReadsAheadWhileEpochsGoOn) {
  Start(1);
  RunEpochTo(3);
  Join("x");
  Worker(1).restore_time = std::chrono::seconds(10);
  RunEpochTo(5);
  RunEpochTo(6);
  EXPECT_THAT(Worker(1).received, ElementsAre("Deploy", "WarmUp"));
  EXPECT_THAT(Worker(0).key_groups(), SizeIs(4));

  Worker(1).restore_time = {};
  RunUntil([&] { return !Worker(1).assigns.empty(); });
  RunEpochTo(8);
  // The first round took long, so that there was another one.
  EXPECT_THAT(Worker(1).received, testing::IsSupersetOf({"Deploy", "WarmUp", "WarmUp", "Run 3.1"}));
  EXPECT_THAT(Worker(1).key_groups(), SizeIs(2));
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-5;5-6;6-8;");
}

TEST_F(ElasticJobTest, HeirsReadAheadBeforeAWorkerLeaves) {
  Start(2);
  RunEpochTo(3);
  Worker(1).restore_time = std::chrono::seconds(10);
  run_.runner->ReleaseWorker("w0");
  RunEpochTo(5);
  EXPECT_THAT(Worker(0).received, Contains("Run 1.1"));
  EXPECT_THAT(Worker(1).received, Contains("WarmUp"));
  EXPECT_TRUE(Worker(0).is_connected());

  RunUntil([&] { return !Worker(0).is_connected(); });
  RunEpochTo(6);
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-5;5-6;");
}

TEST_F(ElasticJobTest, ALossDuringAWarmUpIsMadeGoodAtOnce) {
  Start(1);
  RunEpochTo(3);
  Join("x");
  Worker(1).restore_time = std::chrono::seconds(10);
  RunUntil([&] { return testing::Value(Worker(1).received, Contains("WarmUp")); });
  Worker(0).Die();
  RunUntil([&] { return !Worker(1).assigns.empty(); });
  RunEpochTo(5);
  EXPECT_THAT(Worker(1).key_groups(), SizeIs(4));
  EXPECT_THAT(Worker(1).received,
              ElementsAre("Deploy", "WarmUp", "Assign 2", "Run 1.1", "Committed 1.1"));
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-5;");
}

TEST_F(ElasticJobTest, AWorkerThatCannotReadAheadIsGivenItsKeyGroupsAllTheSame) {
  Start(1);
  RunEpochTo(3);
  Join("x");
  Worker(1).fail_warm_up = MakeError(ErrorKind::kResource, "WARM_UP_TOO_LARGE", "planned");
  RunEpochTo(5);
  RunUntil([&] { return !Worker(1).assigns.empty(); });
  RunEpochTo(6);
  EXPECT_THAT(Worker(1).key_groups(), SizeIs(2));
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-5;5-6;");
}

TEST_F(ElasticJobTest, TheOnlyWorkerIsReleasedAndTheJobWaitsForAnother) {
  Start(1);
  RunEpochTo(3);
  run_.runner->ReleaseWorker("w0");
  RunUntil([&] { return !Worker(0).is_connected(); });
  EXPECT_EQ(phases_.back(), JobPhase::kWaitingForWorkers);

  Join("x");
  RunEpochTo(4);
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-4;");
}

TEST_F(ElasticJobTest, AWorkerOfTheSameNameReplacesTheOneThatIsThere) {
  Start(2);
  RunEpochTo(3);
  Join("w0");
  RunEpochTo(6);
  Stop();

  EXPECT_FALSE(Worker(0).is_connected());
  EXPECT_THAT(Worker(2).received, Contains("Deploy"));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, AWorkerWhoseStreamBreaksComesBackWithWhatItHas) {
  Start(2);
  RunEpochTo(3);
  Worker(0).Disconnect();
  run_.runner->AddWorker(Worker(0).Connect(&simulation_));
  RunEpochTo(6);
  Stop();

  EXPECT_THAT(Worker(0).received, Contains("Adopt 0.1"));
  EXPECT_THAT(Worker(0).deploys, SizeIs(1));
  EXPECT_THAT(Worker(0).assigns.back().extents(), IsEmpty());
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, AWorkerThatMissedACommitDropsWhatItHas) {
  Start(2);
  RunEpochTo(3);
  Worker(0).Disconnect();
  RunEpochTo(6);
  run_.runner->AddWorker(Worker(0).Connect(&simulation_));
  RunEpochTo(9);
  Stop();

  EXPECT_THAT(Worker(0).deploys, SizeIs(2));
  EXPECT_THAT(Worker(0).received, Not(Contains(testing::StartsWith("Adopt"))));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;6-9;");
}

TEST_F(ElasticJobTest, WorkersKeepTheirStateOverARestartOfTheDriver) {
  Start(2);
  RunEpochTo(3);
  RestartDriver();
  RunEpochTo(6);
  Stop();

  for (const auto& worker : run_.workers) {
    EXPECT_THAT(worker->received, Contains("Adopt 0.1"));
    EXPECT_THAT(worker->deploys, SizeIs(1));
    EXPECT_THAT(worker->assigns.back().extents(), IsEmpty());
  }
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, WorkersKeepTheirStateForTheDriverThatIsHandedTheJob) {
  Start(2);
  RunEpochTo(3);
  run_.runner->Stop(StopMode::kHandOver);
  ASSERT_TRUE(run_.Finish(&simulation_));
  EXPECT_TRUE(run_.result->was_stopped);
  RestartDriver();
  RunEpochTo(6);
  Stop();

  EXPECT_THAT(Worker(0).received, Contains("Adopt 0.1"));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

// Crash table: driver after Commit(e), before telling anyone.
TEST_F(ElasticJobTest, AnEpochThatWasCommittedBeforeAnyoneWasToldIsKeptAsCommitted) {
  Start(2);
  RunEpochTo(3);
  world_.available = 6;
  RunUntil([&] {
    return Summary(ReadLog(fs_, checkpoint_).ValueOrDie()).find("Commit1") != std::string::npos;
  });
  RestartDriver();
  RunEpochTo(9);
  Stop();

  EXPECT_THAT(Worker(0).received, Contains("Adopt 1.1"));
  EXPECT_THAT(Worker(0).deploys, SizeIs(1));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;6-9;");
}

// Crash table: driver after Plan(e), workers still computing.
TEST_F(ElasticJobTest, AnOpenAttemptOfTheDriverBeforeIsUndone) {
  Start(1);
  RunEpochTo(3);
  Worker(0).is_silent = true;
  world_.available = 6;
  RunUntil([&] { return Worker(0).runs.size() == 2; });
  RestartDriver();
  Worker(0).is_silent = false;
  RunEpochTo(6);
  Stop();

  EXPECT_THAT(Worker(0).received, Contains("Adopt 0.1"));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, OnlySoManySlotsAreUsed) {
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kDefault);
  job.max_slots = 3;
  Start(3, job);
  RunEpochTo(3);

  EXPECT_THAT(slots_, ElementsAre(3));
  EXPECT_THAT(Worker(1).key_groups(), SizeIs(1));
  EXPECT_THAT(Worker(2).received, IsEmpty());
  Worker(0).Die();
  RunEpochTo(6);
  Stop();
  EXPECT_EQ(Worker(1).key_groups().size() + Worker(2).key_groups().size(), 0u) << "undeployed";
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, AWorkerThatFallsOutOfTheAssignmentDropsItsKeyGroups) {
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kDefault);
  job.max_slots = 2;
  Start(1, job);
  RunEpochTo(3);
  Worker(0).Disconnect();
  Join("x");
  RunUntil([&] { return Worker(1).key_groups().size() == 4; });
  ASSERT_THAT(Worker(0).key_groups(), SizeIs(4)) << "of the last commit still";
  run_.runner->AddWorker(Worker(0).Connect(&simulation_));
  RunEpochTo(6);

  EXPECT_THAT(Worker(0).received, Contains("Adopt 0.1"));
  EXPECT_THAT(Worker(0).key_groups(), IsEmpty());
  EXPECT_THAT(Worker(0).runs, SizeIs(1));
  Stop();
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(ElasticJobTest, ADeploymentCarriesProofsLimitsAndTheGivenId) {
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kDefault);
  job.job_uuid = "01234567-89ab-cdef-0123-456789abcdef";
  job.memory_bytes = 1234;
  Start(1, job);
  RunUntil([&] { return !Worker(0).deploys.empty(); });
  const proto::Deploy deploy = Worker(0).deploys[0];

  EXPECT_EQ(deploy.job(), job.job_uuid);
  EXPECT_EQ(deploy.memory_bytes(), 1234);
  ASSERT_EQ(deploy.shared_files_size(), 1);
  EXPECT_EQ(deploy.shared_files(0).path(), Path("term/1"));
  EXPECT_THAT(Contents("term/1"), testing::HasSubstr("nonce="));
  EXPECT_EQ(deploy.shared_files(0).checksum(), Hash64(Contents("term/1")));
  Stop();
  EXPECT_EQ(run_.result->job_uuid, job.job_uuid);
}

TEST_F(ElasticJobTest, AWorkerThatDoesNotSeeTheDirectoriesEndsTheJob) {
  world_.available = 3;
  Start(1);
  Worker(0).fail_deploy = MakeError(ErrorKind::kInvalid, "NOT_SHARED", "another disk");
  ASSERT_TRUE(run_.Finish(&simulation_));
  EXPECT_EQ(ErrorClassOf(run_.result->status), "NOT_SHARED");
  EXPECT_EQ(ExitCodeOf(run_.result->status), 3);
}

TEST_F(ElasticJobTest, ARestoreThatFailsForAMomentIsTriedAgain) {
  world_.available = 3;
  Start(1);
  Worker(0).fail_assign = MakeError(ErrorKind::kUnavailable, "IO", "later");
  RunUntil([&] { return world_.epochs.size() == 1; });
  Stop();
  EXPECT_THAT(phases_, Contains(JobPhase::kRetrying));
}

TEST_F(ElasticJobTest, AFailedFsyncOfAWorkerEndsTheJobWhateverAttemptItWas) {
  Start(1);
  RunEpochTo(3);
  Worker(0).SendFailed(77, 99, MakeError(ErrorKind::kBug, "FSYNC_FAILED", "planned"));
  ASSERT_TRUE(run_.Finish(&simulation_));
  EXPECT_EQ(ExitCodeOf(run_.result->status), 70);
}

TEST_F(ElasticJobTest, AWorkerThatComesAfterTheEndIsTurnedAway) {
  Start(1);
  Stop();
  Join("late");
  while (simulation_.RunOne()) {
  }
  EXPECT_FALSE(Worker(1).is_connected());
}

}  // namespace
}  // namespace tidemill::driver
