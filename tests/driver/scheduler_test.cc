#include "driver/epoch/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/epoch/recovery.h"
#include "tests/driver/scheduler_driver.h"

namespace tidemill::driver {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// A driver that finds `decision` after its restart, with both workers there again.
std::vector<std::string> Restart(SchedulerDriver* job, int64_t last_committed,
                                 const RecoveryDecision& decision) {
  std::vector<std::string> all;
  const auto feed = [&](const SchedulerEvent& event) {
    for (std::string& action : job->Feed(event)) all.push_back(std::move(action));
  };
  feed(event::Recovered{.last_committed = last_committed,
                        .last_attempt = 1,
                        .open_epoch = decision.open_epoch,
                        .open_has_stored_plan = decision.open_has_stored_plan});
  feed(event::WorkersChanged{{"a", "b"}});
  for (std::string& action : job->Assigned(1)) all.push_back(std::move(action));
  return all;
}

constexpr uint64_t kFingerprint = 77;

TEST(EpochSchedulerTest, AnEpochGoesFromInputToCommitInOrder) {
  SchedulerDriver job;

  EXPECT_THAT(job.Feed(event::Recovered{}), ElementsAre("Poll"));
  EXPECT_THAT(job.Feed(event::WorkersChanged{{"a", "b"}}), ElementsAre("Assign v1 of 2"));
  EXPECT_THAT(job.Assigned(1), IsEmpty());
  EXPECT_THAT(job.Feed(event::InputPolled{true}), ElementsAre("Plan 0", "Run 0.1 after -1.0"));
  EXPECT_THAT(job.Feed(event::Prepared{"a", 0, 1}), IsEmpty());
  EXPECT_THAT(job.Feed(event::Prepared{"b", 0, 1}), IsEmpty());
  EXPECT_THAT(job.Feed(event::PlanDurable{0}), ElementsAre("Poll", "CommitSinks 0.1"));
  EXPECT_THAT(job.Feed(event::SinksCommitted{0}), ElementsAre("Commit 0.1"));
  EXPECT_THAT(job.Feed(event::CommitDurable{0}), ElementsAre("Tell 0.1", "CommitSources 0"));
}

TEST(EpochSchedulerTest, CommitAndNextPlanShareAWriteWhenInputIsThere) {
  SchedulerDriver job;
  job.StartRunning(5);
  EXPECT_THAT(job.PrepareAll(5, 1), ElementsAre("Poll", "CommitSinks 5.1"));

  EXPECT_THAT(job.Feed(event::InputPolled{true}), IsEmpty());
  EXPECT_THAT(job.Feed(event::SinksCommitted{5}), ElementsAre("Commit 5.1 + plan"));
  EXPECT_THAT(job.Feed(event::CommitDurable{5}),
              ElementsAre("Run 6.1 after 5.1", "CommitSources 5"));
  EXPECT_THAT(job.PrepareAll(6, 1), ElementsAre("Poll", "CommitSinks 6.1"));
}

TEST(EpochSchedulerTest, APlanThatWantsItsOwnWriteFollowsTheCommit) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);

  job.Feed(event::InputPolled{.has_data = true, .wants_own_write = true});
  EXPECT_THAT(job.Feed(event::SinksCommitted{0}), ElementsAre("Commit 0.1"));
  EXPECT_THAT(job.Feed(event::CommitDurable{0}),
              ElementsAre("Plan 1", "Run 1.1 after 0.1", "CommitSources 0"));
}

TEST(EpochSchedulerTest, InputThatComesDuringTheCommitIsPlannedAfterIt) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);
  job.Feed(event::SinksCommitted{0});

  EXPECT_THAT(job.Feed(event::InputPolled{true}), IsEmpty());
  EXPECT_THAT(job.Feed(event::CommitDurable{0}),
              ElementsAre("Plan 1", "Run 1.1 after 0.1", "CommitSources 0"));
}

// The crash table, row by row.

TEST(CrashTableTest, DriverBeforePlanIsDurable) {
  SchedulerDriver before;
  before.StartFresh(2);
  before.RunNext();
  EXPECT_THAT(before.PrepareAll(3, 1), IsEmpty()) << "no sink commits before its plan is durable";

  const auto decision = DecideRecovery({.last_committed = 2}, {}, kFingerprint).ValueOrDie();
  SchedulerDriver after;
  EXPECT_THAT(Restart(&after, 2, decision), ElementsAre("Poll", "Assign v1 of 2"));
  EXPECT_THAT(after.Feed(event::InputPolled{true}), ElementsAre("Plan 3", "Run 3.1 after 2.1"));
}

TEST(CrashTableTest, DriverAfterPlan) {
  const LogFacts log{.last_committed = 2, .open = LogFacts::Open{3, 42, kFingerprint}};
  const auto decision = DecideRecovery(log, {}, kFingerprint).ValueOrDie();
  SchedulerDriver job;

  EXPECT_THAT(Restart(&job, 2, decision), ElementsAre("Assign v1 of 2", "Run 3.1 after 2.1"));
  EXPECT_THAT(job.PrepareAll(3, 1), ElementsAre("Poll", "CommitSinks 3.1"));
}

TEST(CrashTableTest, WorkerDuringEpoch) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(event::Prepared{"a", 0, 1});

  EXPECT_THAT(job.Feed(event::WorkersChanged{{"a"}}), ElementsAre("Abort 0.1", "Assign v2 of 1"));
  EXPECT_THAT(job.Feed(event::Prepared{"a", 0, 1}), IsEmpty()) << "an old attempt's answer";
  EXPECT_THAT(job.Assigned(1), IsEmpty()) << "an old assignment";
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 0.2 after -1.1"));
  EXPECT_THAT(job.Feed(event::Prepared{"a", 0, 2}), ElementsAre("Poll", "CommitSinks 0.2"));
}

TEST(CrashTableTest, WorkerAfterPreparedBeforeCommitSinks) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(event::Prepared{"b", 0, 1});

  EXPECT_THAT(job.Feed(event::WorkersChanged{{"a"}}), ElementsAre("Abort 0.1", "Assign v2 of 1"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 0.2 after -1.1"));
}

TEST(CrashTableTest, AfterSomeSinkShardsCommitted) {
  const LogFacts log{.last_committed = 2, .open = LogFacts::Open{3, 42, kFingerprint}};

  const auto same = DecideRecovery(log, {SinkFacts::Published{3, 42}}, kFingerprint).ValueOrDie();
  SchedulerDriver job;
  EXPECT_THAT(Restart(&job, 2, same), ElementsAre("Assign v1 of 2", "Run 3.1 after 2.1"));
  EXPECT_TRUE(same.is_published) << "the sink skips what it has";

  const auto other = DecideRecovery(log, {SinkFacts::Published{3, 43}}, kFingerprint);
  EXPECT_EQ(ExitCodeOf(other.status()), 9) << other.status();
  const auto later = DecideRecovery(log, {SinkFacts::Published{4, 42}}, kFingerprint);
  EXPECT_EQ(ExitCodeOf(later.status()), 9) << later.status();
}

TEST(CrashTableTest, DriverAfterSinksBeforeCommit) {
  const LogFacts log{.last_committed = 2, .open = LogFacts::Open{3, 42, kFingerprint}};
  const SinkFacts sink{SinkFacts::Published{3, 42}};
  const auto decision = DecideRecovery(log, sink, kFingerprint).ValueOrDie();
  SchedulerDriver job;

  Restart(&job, 2, decision);
  EXPECT_THAT(job.PrepareAll(3, 1), ElementsAre("Poll", "CommitSinks 3.1"));
  EXPECT_THAT(job.Feed(event::SinksCommitted{3}), ElementsAre("Commit 3.1"));
}

TEST(CrashTableTest, DriverAfterCommitBeforeTellingAnyone) {
  const LogFacts log{.last_committed = 3, .committed_plan_hash = 42};
  const SinkFacts sink{SinkFacts::Published{3, 42}};
  const auto decision = DecideRecovery(log, sink, kFingerprint).ValueOrDie();
  SchedulerDriver job;

  EXPECT_THAT(Restart(&job, 3, decision), ElementsAre("Poll", "Assign v1 of 2"));
  EXPECT_THAT(job.Feed(event::InputPolled{true}), ElementsAre("Plan 4", "Run 4.1 after 3.1"));
}

TEST(CrashTableTest, ZombieDriverComesBack) {
  SchedulerDriver zombie;
  zombie.StartRunning(0);
  zombie.PrepareAll(0, 1);

  EXPECT_THAT(zombie.Feed(event::SinksFailed{0, SchedulerDriver::ErrorOf(ErrorKind::kFenced)}),
              ElementsAre("Finish KIND_10"));
  EXPECT_THAT(zombie.Feed(event::SinksCommitted{0}), IsEmpty());
}

TEST(CrashTableTest, QueryChangedWhileEpochWasOpen) {
  const LogFacts log{.last_committed = 2, .open = LogFacts::Open{3, 42, kFingerprint - 1}};
  const auto decision = DecideRecovery(log, {}, kFingerprint).ValueOrDie();
  SchedulerDriver job;

  EXPECT_THAT(Restart(&job, 2, decision),
              ElementsAre("Assign v1 of 2 with stored plan", "Run 3.1 after 2.1"));
  job.PrepareAll(3, 1);
  job.Feed(event::InputPolled{true});
  job.Feed(event::SinksCommitted{3});
  EXPECT_THAT(job.Feed(event::CommitDurable{3}),
              ElementsAre("Tell 3.1", "CommitSources 3", "Assign v2 of 2"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 4.1 after 3.1"));
}

// Failures of attempts, sinks and workers.

TEST(EpochSchedulerTest, ARetryableFailureRunsTheEpochAgainAfterABackOff) {
  SchedulerDriver job;
  job.StartRunning(0);

  const auto unavailable = SchedulerDriver::ErrorOf(ErrorKind::kUnavailable);
  EXPECT_THAT(job.Feed(event::AttemptFailed{0, 1, unavailable}),
              ElementsAre("Abort 0.1", "Retry in 100ms", "Timer at 1000100250"));
  EXPECT_THAT(job.Feed(event::AttemptFailed{0, 1, unavailable}), IsEmpty());
  job.PassTime(std::chrono::milliseconds(100));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Run 0.2 after -1.1"));
  EXPECT_THAT(job.Feed(event::AttemptFailed{0, 2, unavailable}), Contains("Retry in 200ms"));
}

TEST(EpochSchedulerTest, AUserErrorEndsTheJobAfterAbort) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(event::AttemptFailed{0, 1, SchedulerDriver::ErrorOf(ErrorKind::kJobFailed)}),
              ElementsAre("Abort 0.1", "Finish KIND_8"));
  EXPECT_TRUE(job.scheduler().is_finished());
}

TEST(EpochSchedulerTest, AnErrorOfAWorkerAfterTheCommitEndsTheJobToo) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);
  job.Feed(event::SinksCommitted{0});
  job.Feed(event::CommitDurable{0});

  EXPECT_THAT(job.Feed(event::AttemptFailed{0, 1, SchedulerDriver::ErrorOf(ErrorKind::kGeneral)}),
              ElementsAre("Finish KIND_1"));
}

TEST(EpochSchedulerTest, ASupersededAnswerIsIgnored) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(
      job.Feed(event::AttemptFailed{0, 1, SchedulerDriver::ErrorOf(ErrorKind::kSuperseded)}),
      IsEmpty());
}

TEST(EpochSchedulerTest, AnUnavailableSinkIsAskedAgain) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);
  job.Feed(event::InputPolled{true});

  EXPECT_THAT(job.Feed(event::SinksFailed{0, SchedulerDriver::ErrorOf(ErrorKind::kUnavailable)}),
              ElementsAre("Retry in 100ms", "Timer at 1000100250"));
  job.PassTime(std::chrono::milliseconds(100));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("CommitSinks 0.1"));
}

TEST(EpochSchedulerTest, AWorkerLostDuringTheCommitIsReplacedAfterIt) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);
  job.Feed(event::InputPolled{true});

  EXPECT_THAT(job.Feed(event::WorkersChanged{{"b"}}), IsEmpty());
  EXPECT_THAT(job.Feed(event::SinksCommitted{0}), ElementsAre("Commit 0.1 + plan"));
  EXPECT_THAT(job.Feed(event::CommitDurable{0}),
              ElementsAre("Tell 0.1", "CommitSources 0", "Assign v2 of 1"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 1.1 after 0.1"));
}

TEST(EpochSchedulerTest, ANewWorkerJoinsBetweenEpochs) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(event::WorkersChanged{{"a", "b", "c"}}), IsEmpty());
  EXPECT_THAT(job.PrepareAll(0, 1), ElementsAre("Poll", "CommitSinks 0.1"));
  job.Feed(event::InputPolled{false});
  job.Feed(event::SinksCommitted{0});
  EXPECT_THAT(job.Feed(event::CommitDurable{0}), Contains("Assign v2 of 3"));
}

TEST(EpochSchedulerTest, WithoutWorkersAnEpochWaits) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(event::WorkersChanged{}), ElementsAre("Abort 0.1"));
  EXPECT_THAT(job.Feed(event::PlanDurable{0}), IsEmpty());
  EXPECT_THAT(job.Feed(event::WorkersChanged{{"d"}}), ElementsAre("Assign v2 of 1"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 0.2 after -1.1"));
}

TEST(EpochSchedulerTest, ABrokenLogEndsTheJobAndUndoesTheAttempt) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(event::Broken{SchedulerDriver::ErrorOf(ErrorKind::kFenced)}),
              ElementsAre("Abort 0.1", "Finish KIND_10"));
  EXPECT_THAT(job.Feed(event::PlanDurable{0}), IsEmpty());
}

}  // namespace
}  // namespace tidemill::driver
