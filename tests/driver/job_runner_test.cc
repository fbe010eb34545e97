#include "driver/job/job_runner.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "driver/log/log_reader.h"
#include "driver/log/term.h"
#include "tests/driver/log_fixture.h"
#include "tests/driver/simulation.h"

namespace tidemill::driver {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

class JobRunnerTest : public LogFixture {
 protected:
  std::unique_ptr<JobRun> Start(TriggerKind trigger = TriggerKind::kAvailableNow, int workers = 1) {
    return StartJob(&simulation_, fs_, &world_, SomeJob(checkpoint_, trigger), workers);
  }
  std::string ReadSummary() { return Summary(ReadLog(fs_, checkpoint_).ValueOrDie()); }
  std::vector<std::string> StateFiles() {
    std::vector<std::string> names;
    for (const auto& file : fs_->List(Path("state")).ValueOrDie()) {
      names.push_back(BaseName(file.path));
    }
    return names;
  }

  Simulation simulation_;
  World world_;
};

TEST_F(JobRunnerTest, RunsAvailableInputToItsEndInEpochsUnderTheLimit) {
  world_.available = 7;

  auto run = Start();
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->status.ok()) << run->result->status;
  EXPECT_EQ(world_.Rows(), "0-3;3-6;6-7;");
  EXPECT_EQ(run->result->last_committed, 2);
  EXPECT_EQ(run->result->input_rows, 7);
  EXPECT_EQ(ReadSummary(), "Open1 Plan0 Commit0+Plan1 Commit1+Plan2 Commit2");
  EXPECT_THAT(world_.source_commits, ElementsAre(3, 6, 7));
  EXPECT_THAT(run->workers[0]->received, ElementsAre("Deploy", "Assign 1", "Run 0.1", "Run 1.1",
                                                     "Run 2.1", "Committed 2.1", "Undeploy"));
}

TEST_F(JobRunnerTest, ARestartGoesOnWhereTheLastRunEnded) {
  world_.available = 4;
  ASSERT_TRUE(Start()->Finish(&simulation_));
  world_.available = 8;

  auto run = Start();
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_EQ(world_.Rows(), "0-3;3-4;4-7;7-8;");
  EXPECT_EQ(run->result->epochs, 2);
  EXPECT_EQ(run->workers[0]->assigns[0].committed_epoch(), 1);
  EXPECT_THAT(run->workers[0]->assigns[0].extents(), SizeIs(2));
}

TEST_F(JobRunnerTest, TheDefaultTriggerPicksUpWhatArrivesLater) {
  auto run = Start(TriggerKind::kDefault);
  run->RunUntil(&simulation_, [&] { return !run->workers[0]->assigns.empty(); });
  world_.available = 2;
  run->RunUntil(&simulation_, [&] { return world_.epochs.size() == 1; });
  world_.available = 3;
  run->RunUntil(&simulation_, [&] { return world_.epochs.size() == 2; });

  run->runner->Stop(StopMode::kDrain);
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->was_stopped);
  EXPECT_EQ(world_.Rows(), "0-2;2-3;");
  EXPECT_EQ(run->result->last_committed, 1);
}

TEST_F(JobRunnerTest, OnceTakesEverythingAtOnce) {
  world_.available = 20;
  auto run = Start(TriggerKind::kOnce);
  ASSERT_TRUE(run->Finish(&simulation_));
  EXPECT_EQ(world_.Rows(), "0-20;");
}

TEST_F(JobRunnerTest, AnOpenEpochIsRunAgainExactlyAsPlanned) {
  world_.available = 3;
  auto first = Start();
  first->workers[0]->is_silent = true;
  first->RunUntil(&simulation_, [&] {
    return !first->workers[0]->runs.empty() && ReadSummary() == "Open1 Plan0";
  });
  const std::string planned = first->workers[0]->runs.at(0).plan().SerializeAsString();
  first->Crash(&simulation_);
  world_.available = 5;

  auto second = Start();
  ASSERT_TRUE(second->Finish(&simulation_));

  EXPECT_EQ(second->workers[0]->runs[0].plan().SerializeAsString(), planned);
  EXPECT_EQ(world_.Rows(), "0-3;3-5;");
}

TEST_F(JobRunnerTest, CrashesAnywhereLoseAndRepeatNothing) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed={}", seed));
    Simulation simulation(seed);
    World world{.available = 10};
    JobDefinition job = SomeJob(Path(fmt::format("{}", seed)), TriggerKind::kAvailableNow);
    job.base_interval = 2;
    std::unique_ptr<JobRun> run;
    for (int life = 0; run == nullptr || !run->result.has_value(); ++life) {
      ASSERT_LT(life, 60);
      if (run != nullptr) run->Crash(&simulation);
      run = StartJob(&simulation, fs_, &world, job, 1 + static_cast<int>(simulation.Next() % 2));
      for (const auto& worker : run->workers) worker->snapshot_every = 2;
      const uint64_t steps = simulation.Next() % (20 + 3 * life);
      for (uint64_t i = 0; i < steps && !run->result.has_value(); ++i) simulation.RunOne();
    }
    EXPECT_TRUE(run->result->status.ok()) << run->result->status;
    EXPECT_EQ(world.Rows(), "0-3;3-6;6-9;9-10;");
    EXPECT_EQ(run->result->last_committed, 3);
  }
}

TEST_F(JobRunnerTest, ANewerTermStopsTheJobBeforeTheSink) {
  world_.available = 3;
  auto run = Start();
  run->RunUntil(&simulation_, [&] { return !run->workers[0]->runs.empty(); });
  ASSERT_TRUE(Term::Take(fs_, checkpoint_, "pid=2", false).ok());

  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_EQ(ExitCodeOf(run->result->status), 10);
  EXPECT_EQ(world_.Rows(), "");
}

TEST_F(JobRunnerTest, ASecondJobOnALiveCheckpointIsTurnedAway) {
  world_.available = 3;
  auto first = Start(TriggerKind::kDefault);
  first->RunUntil(&simulation_, [&] { return world_.epochs.size() == 1; });

  auto second = Start();
  ASSERT_TRUE(second->Finish(&simulation_));

  EXPECT_EQ(ExitCodeOf(second->result->status), 7);
  EXPECT_THAT(second->result->status.message(), HasSubstr("pid=1 host=simulation"));
  EXPECT_FALSE(first->result.has_value());
  first->runner->Stop(StopMode::kDrain);
  ASSERT_TRUE(first->Finish(&simulation_));
  EXPECT_TRUE(first->result->status.ok());
}

TEST_F(JobRunnerTest, ALostWorkersEpochIsRunAgainOnTheOthers) {
  world_.available = 3;
  auto run = Start(TriggerKind::kAvailableNow, 2);
  run->workers[0]->is_silent = true;
  run->RunUntil(&simulation_, [&] { return !run->workers[0]->runs.empty(); });

  run->workers[0]->Die();
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->status.ok()) << run->result->status;
  EXPECT_EQ(world_.Rows(), "0-3;");
  EXPECT_THAT(run->workers[1]->received,
              ElementsAre("Deploy", "Assign 1", "Run 0.1", "Abort 0.1", "Assign 2", "Run 0.2",
                          "Committed 0.2", "Undeploy"));
}

TEST_F(JobRunnerTest, WithoutAnyWorkerTheJobFails) {
  world_.available = 3;
  auto run = Start();
  run->workers[0]->is_silent = true;
  run->RunUntil(&simulation_, [&] { return !run->workers[0]->runs.empty(); });

  run->workers[0]->Die();
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_EQ(ErrorClassOf(run->result->status), "NO_WORKERS");
}

TEST_F(JobRunnerTest, AUserErrorFailsTheJobAndLeavesTheEpochOpen) {
  world_.available = 6;
  auto run = Start();
  run->workers[0]->fail_epoch[1] = MakeError(ErrorKind::kJobFailed, "CAST_INVALID_INPUT", "no");
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_EQ(ExitCodeOf(run->result->status), 8);
  EXPECT_EQ(ErrorClassOf(run->result->status), "CAST_INVALID_INPUT");
  EXPECT_THAT(run->workers[0]->received, Contains("Abort 1.1"));
  EXPECT_THAT(ReadSummary(), EndsWith("Commit0+Plan1"));

  ASSERT_TRUE(Start()->Finish(&simulation_));
  EXPECT_EQ(world_.Rows(), "0-3;3-6;");
}

TEST_F(JobRunnerTest, ARetryableErrorIsRetried) {
  world_.available = 3;
  auto run = Start();
  run->workers[0]->fail_epoch[0] = MakeError(ErrorKind::kUnavailable, "PEER_GONE", "later");
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->status.ok());
  EXPECT_THAT(run->workers[0]->received, Contains("Run 0.2"));
}

TEST_F(JobRunnerTest, BasesAndSnapshotsLetOlderFilesGo) {
  world_.available = 30;
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kAvailableNow);
  job.base_interval = 4;
  auto run = StartJob(&simulation_, fs_, &world_, job);
  run->workers[0]->snapshot_every = 2;
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->status.ok()) << run->result->status;
  EXPECT_THAT(ReadSummary(), testing::StartsWith("Open1 Base7 Plan8"));
  EXPECT_THAT(fs_->List(Path("log")).ValueOrDie(), SizeIs(1));
  // Two snapshots, the segments after the older of them, and a snapshot that came after the last
  // commit.
  EXPECT_LE(StateFiles().size(), 6u) << testing::PrintToString(StateFiles());

  world_.available = 31;
  auto again = Start();
  ASSERT_TRUE(again->Finish(&simulation_));
  EXPECT_TRUE(again->result->status.ok()) << again->result->status;
  EXPECT_EQ(world_.epochs.rbegin()->second.rows, "30-31;");
}

TEST_F(JobRunnerTest, AChangedQueryFinishesTheOpenEpochWithThePlanThatPlannedIt) {
  world_.available = 3;
  auto first = Start();
  first->workers[0]->is_silent = true;
  first->RunUntil(&simulation_, [&] {
    return !first->workers[0]->runs.empty() && ReadSummary() == "Open1 Plan0";
  });
  const uint64_t old_plan = first->workers[0]->runs.at(0).plan().plan_fingerprint();
  first->Crash(&simulation_);
  world_.available = 4;

  JobDefinition changed = SomeJob(checkpoint_, TriggerKind::kAvailableNow);
  auto plan = std::make_shared<proto::PhysicalPlan>(*changed.plan);
  plan->add_stages()->set_id(7);
  changed.plan = plan;
  auto second = StartJob(&simulation_, fs_, &world_, changed);
  ASSERT_TRUE(second->Finish(&simulation_));

  EXPECT_TRUE(second->result->status.ok()) << second->result->status;
  EXPECT_THAT(second->workers[0]->received,
              ElementsAre("Deploy", "Assign 1", "Run 0.1", "Committed 0.1", "Undeploy", "Deploy",
                          "Assign 2", "Run 1.1", "Committed 1.1", "Undeploy"));
  EXPECT_EQ(second->workers[0]->runs[0].plan().plan_fingerprint(), old_plan);
  EXPECT_NE(second->workers[0]->runs[1].plan().plan_fingerprint(), old_plan);
  EXPECT_EQ(world_.Rows(), "0-3;3-4;");
}

// A sink's recovery removes staged files that it does not know: nobody may be staging by then.
TEST_F(JobRunnerTest, AChangedQueryReachesTheWorkersOnlyWhenItsSinkIsOpen) {
  world_.available = 3;
  auto first = Start();
  first->workers[0]->is_silent = true;
  first->RunUntil(&simulation_, [&] { return !first->workers[0]->runs.empty(); });
  first->RunUntil(&simulation_, [&] { return ReadSummary() == "Open1 Plan0"; });
  first->Crash(&simulation_);

  JobDefinition changed = SomeJob(checkpoint_, TriggerKind::kDefault);
  auto plan = std::make_shared<proto::PhysicalPlan>(*changed.plan);
  plan->add_stages()->set_id(7);
  changed.plan = plan;
  JobRun second;
  JobEnvironment environment = FakeEnvironment(&simulation_, fs_, &world_);
  environment.make_sink = [make = environment.make_sink, made = 0](
                              const connectors::SinkSpec& spec,
                              const connectors::SinkDriverContext& context) mutable
      -> arrow::Result<std::unique_ptr<connectors::SinkDriver>> {
    if (made++ > 0) return MakeError(ErrorKind::kConflict, "SINK_IN_USE", "taken");
    return make(spec, context);
  };
  AddWorkers(&simulation_, fs_, 1, &second, &environment);
  second.runner = JobRunner::Start(changed, std::move(environment),
                                   [&](JobResult result) { second.result = std::move(result); });
  ASSERT_TRUE(second.Finish(&simulation_));

  EXPECT_EQ(ErrorClassOf(second.result->status), "SINK_IN_USE");
  EXPECT_THAT(second.workers[0]->received,
              ElementsAre("Deploy", "Assign 1", "Run 0.1", "Committed 0.1", "Undeploy"));
}

TEST_F(JobRunnerTest, AQueryWithAnotherStateIsRefused) {
  world_.available = 3;
  ASSERT_TRUE(Start()->Finish(&simulation_));
  JobDefinition changed = SomeJob(checkpoint_, TriggerKind::kAvailableNow);
  auto plan = std::make_shared<proto::PhysicalPlan>(*changed.plan);
  plan->add_stages()->add_operators()->mutable_final_aggregate()->add_key_types("STRING");
  changed.plan = plan;

  auto run = StartJob(&simulation_, fs_, &world_, changed);
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_EQ(ErrorClassOf(run->result->status), "CHECKPOINT_INCOMPATIBLE");
  EXPECT_EQ(ExitCodeOf(run->result->status), 9);
}

TEST_F(JobRunnerTest, ACheckpointWithoutItsLogIsDamagedNotFresh) {
  world_.available = 3;
  ASSERT_TRUE(Start()->Finish(&simulation_));
  ASSERT_TRUE(fs_->Remove(Path("log/1.0")).ok());

  for (int i = 0; i < 2; ++i) {
    auto run = Start();
    ASSERT_TRUE(run->Finish(&simulation_));
    EXPECT_EQ(ErrorClassOf(run->result->status), "CHECKPOINT_CORRUPT");
  }
}

TEST_F(JobRunnerTest, ASinkThatIsAheadOfTheLogStopsTheJob) {
  world_.epochs[5] = {.plan_hash = 1, .rows = "0-3;"};
  auto run = Start();
  ASSERT_TRUE(run->Finish(&simulation_));
  EXPECT_EQ(ErrorClassOf(run->result->status), "SINK_AHEAD_OF_LOG");
}

TEST_F(JobRunnerTest, StopNowAbandonsTheEpochAndTheNextStartRunsItAgain) {
  world_.available = 3;
  auto run = Start();
  run->workers[0]->is_silent = true;
  run->RunUntil(&simulation_, [&] { return !run->workers[0]->runs.empty(); });

  run->runner->Stop(StopMode::kNow);
  ASSERT_TRUE(run->Finish(&simulation_));

  EXPECT_TRUE(run->result->was_stopped);
  EXPECT_EQ(run->result->last_committed, -1);
  ASSERT_TRUE(Start()->Finish(&simulation_));
  EXPECT_EQ(world_.Rows(), "0-3;");
}

TEST_F(JobRunnerTest, EpochTimeNeverDecreasesAndLanesAreBounded) {
  world_.available = 9;
  auto run = Start();
  ASSERT_TRUE(run->Finish(&simulation_));
  int64_t last = 0;
  for (const proto::RunEpoch& sent : run->workers[0]->runs) {
    EXPECT_GE(sent.plan().epoch_time_us(), last);
    EXPECT_EQ(sent.plan().lanes(), 1);
    last = sent.plan().epoch_time_us();
  }
}

TEST_F(JobRunnerTest, KeyGroupsAreDealtInContiguousRanges) {
  world_.available = 1;
  auto run = Start(TriggerKind::kAvailableNow, 2);
  ASSERT_TRUE(run->Finish(&simulation_));
  const proto::Assign& assign = run->workers[1]->assigns.at(0);
  EXPECT_THAT(assign.slots(), SizeIs(4));
  EXPECT_THAT(assign.key_group_slot(), ElementsAre(0, 1, 2, 3));
}

TEST_F(JobRunnerTest, ProgressTellsWhatSparkTells) {
  world_.available = 3;
  auto run = Start();
  ASSERT_TRUE(run->Finish(&simulation_));
  ASSERT_THAT(run->result->recent, SizeIs(1));

  const std::string json = ProgressJson(run->result->recent[0]);

  EXPECT_THAT(json, HasSubstr("\"name\":\"numbers\",\"timestamp\":\"2023-11-14T22:13:20.000Z\","
                              "\"batchId\":0,\"numInputRows\":3,"));
  EXPECT_THAT(json, HasSubstr("\"durationMs\":{\"addBatch\":"));
  EXPECT_THAT(json, HasSubstr("\"sources\":[{\"description\":\"NumberSource\",\"startOffset\":0,"
                              "\"endOffset\":3,\"latestOffset\":3,\"numInputRows\":3"));
  EXPECT_THAT(json, EndsWith("\"sink\":{\"description\":\"MapSink\",\"numOutputRows\":3}}"));
}

}  // namespace
}  // namespace tidemill::driver
