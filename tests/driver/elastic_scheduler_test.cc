// The scheduler while workers join, leave, die and come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/epoch/scheduler.h"
#include "tests/driver/scheduler_driver.h"

namespace tidemill::driver {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Condition = EpochScheduler::Condition;

event::WorkersChanged There(std::set<std::string> workers, std::set<std::string> leaving = {}) {
  return {std::move(workers), std::move(leaving)};
}

// Takes the epoch that both workers compute through its commit, without another one after it.
std::vector<std::string> Finish(SchedulerDriver* job, int64_t epoch) {
  job->PrepareAll(epoch, 1);
  job->Feed(event::InputPolled{false});
  job->Feed(event::SinksCommitted{epoch});
  return job->Feed(event::CommitDurable{epoch});
}

TEST(ElasticSchedulerTest, AWorkerThatJoinsIsAssignedBetweenEpochs) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(There({"a", "b", "c"})), IsEmpty());
  EXPECT_THAT(Finish(&job, 0), ElementsAre("Tell 0.1", "CommitSources 0", "Assign v2 of 3"));
}

TEST(ElasticSchedulerTest, TwoJoinsInARowReplaceTheAssignmentThatIsBeingRestored) {
  SchedulerDriver job;
  job.StartFresh();

  EXPECT_THAT(job.Feed(There({"a", "b", "c"})), ElementsAre("Assign v2 of 3"));
  EXPECT_THAT(job.Feed(There({"a", "b", "c", "d"})), ElementsAre("Assign v3 of 4"));
  job.Feed(event::InputPolled{true});
  EXPECT_THAT(job.Assigned(2), IsEmpty()) << "an old assignment";
  EXPECT_THAT(job.Assigned(3), ElementsAre("Run 0.1 after -1.1"));
}

TEST(ElasticSchedulerTest, ALossWhileAnAssignmentIsBeingRestoredReplacesIt) {
  SchedulerDriver job;
  job.StartFresh();
  job.Feed(There({"a", "b", "c"}));

  EXPECT_THAT(job.Feed(There({"a", "c"})), ElementsAre("Assign v3 of 2"));
}

TEST(ElasticSchedulerTest, AJoinBeforeALossDuringAnAttemptDoesNotHideIt) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(There({"a", "b", "c"}));

  EXPECT_THAT(job.Feed(There({"a", "c"})), ElementsAre("Abort 0.1", "Assign v2 of 2"));
}

TEST(ElasticSchedulerTest, AWorkerThatWasReplacedHasLostWhatItHad) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(There({"a"})), ElementsAre("Abort 0.1", "Assign v2 of 1"));
  EXPECT_THAT(job.Feed(There({"a", "b"})), ElementsAre("Assign v3 of 2"));
}

TEST(ElasticSchedulerTest, ALeavingWorkerFinishesTheAttemptAndIsReleasedWhenOthersAreReady) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(There({"a", "b"}, {"b"})), IsEmpty());
  EXPECT_THAT(Finish(&job, 0), Contains("Assign v2 of 1"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Release b"));
  EXPECT_THAT(job.Feed(There({"a"})), IsEmpty());
}

TEST(ElasticSchedulerTest, ALeavingWorkerWithoutPartInTheAssignmentIsReleasedAtOnce) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(There({"a", "b", "c"}));
  EXPECT_THAT(Finish(&job, 0), Contains("Assign v2 of 3"));
  EXPECT_THAT(job.Feed(There({"a", "b", "c"}, {"c"})), ElementsAre("Assign v3 of 2"));
  EXPECT_THAT(job.Assigned(3), ElementsAre("Release c"));
}

TEST(ElasticSchedulerTest, TheLastWorkerIsReleasedOnceNoAttemptIsOut) {
  SchedulerDriver job;
  job.StartRunning(0);

  EXPECT_THAT(job.Feed(There({"a", "b"}, {"a", "b"})), IsEmpty());
  EXPECT_THAT(Finish(&job, 0), Contains("Release a"));
  EXPECT_EQ(job.scheduler().condition(), Condition::kWaitingForWorkers);
  EXPECT_THAT(job.Feed(There({"c"})), Contains("Assign v2 of 1"));
}

TEST(ElasticSchedulerTest, ALeavingWorkerThatDiesInTheAttemptAbortsIt) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(There({"a", "b"}, {"b"}));

  EXPECT_THAT(job.Feed(There({"a"})), ElementsAre("Abort 0.1", "Assign v2 of 1"));
}

TEST(ElasticSchedulerTest, ANewWorkerReplacesALeavingOne) {
  SchedulerDriver job;
  job.StartFresh();

  EXPECT_THAT(job.Feed(There({"a", "b", "c"}, {"a", "b"})), ElementsAre("Assign v2 of 1"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Release a", "Release b"));
}

TEST(ElasticSchedulerTest, AWorkerWithoutSlotsInTheAssignmentMayGo) {
  SchedulerDriver job;
  job.Feed(event::Recovered{});
  job.Feed(There({"a", "b"}));
  job.Feed(event::AssignmentReady{1, {"a"}});
  job.RunNext();

  EXPECT_THAT(job.Feed(There({"a"})), Not(Contains("Abort 0.1")));
  job.Feed(event::PlanDurable{0});
  EXPECT_THAT(job.Feed(event::Prepared{"a", 0, 1}), Contains("CommitSinks 0.1"));
}

TEST(ElasticSchedulerTest, AnAssignmentThatFailsForAMomentIsTriedAgain) {
  SchedulerDriver job;
  job.Feed(event::Recovered{});
  job.Feed(There({"a", "b"}));

  EXPECT_THAT(job.NotAssigned(1, ErrorKind::kUnavailable),
              ElementsAre("Retry in 100ms", "Timer at 1000100250"));
  EXPECT_EQ(job.scheduler().condition(), Condition::kRetrying);
  job.Feed(event::InputPolled{true});
  job.PassTime(std::chrono::milliseconds(100));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Assign v2 of 2"));
  EXPECT_THAT(job.Assigned(2), ElementsAre("Run 0.1 after -1.0"));
  EXPECT_EQ(job.scheduler().condition(), Condition::kRunning);
}

TEST(ElasticSchedulerTest, AnOpenEpochWaitsForTheAssignmentThatIsTriedAgain) {
  SchedulerDriver job;
  job.Feed(event::Recovered{.last_committed = 2, .last_attempt = 1, .open_epoch = 3});
  job.Feed(There({"a"}));

  EXPECT_THAT(job.NotAssigned(1, ErrorKind::kUnavailable),
              ElementsAre("Retry in 100ms", "Timer at 1000100250"));
}

TEST(ElasticSchedulerTest, AnAssignmentThatCannotBeRestoredEndsTheJob) {
  SchedulerDriver job;
  job.Feed(event::Recovered{});
  job.Feed(There({"a", "b"}));

  EXPECT_THAT(job.NotAssigned(1, ErrorKind::kCorrupt), ElementsAre("Finish KIND_9"));
}

TEST(ElasticSchedulerTest, AFailureOfAnAssignmentThatWasReplacedMeansNothing) {
  SchedulerDriver job;
  job.Feed(event::Recovered{});
  job.Feed(There({"a", "b"}));
  job.Feed(There({"a"}));

  EXPECT_THAT(job.NotAssigned(1, ErrorKind::kCorrupt), IsEmpty());
}

TEST(ElasticSchedulerTest, NumbersAreTheTermsOwn) {
  SchedulerDriver job;
  job.Feed(event::Recovered{.term = 3, .last_committed = 7, .last_attempt = (2ull << 32) + 4});

  EXPECT_THAT(job.Feed(There({"a"})), ElementsAre("Assign v3.1 of 1"));
  job.Assigned(1);
  EXPECT_THAT(job.Feed(event::InputPolled{true}), ElementsAre("Plan 8", "Run 8.3.1 after 7.2.4"));
  EXPECT_THAT(job.Feed(There({})), ElementsAre("Abort 8.3.1"));
}

TEST(ElasticSchedulerTest, AStopDoesNotWaitForWorkers) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.Feed(There({}));
  EXPECT_EQ(job.scheduler().condition(), Condition::kWaitingForWorkers);

  EXPECT_THAT(job.Feed(event::StopRequested{}), ElementsAre("Finish ok stopped"));
  EXPECT_EQ(job.scheduler().condition(), Condition::kStopping);
}

TEST(ElasticSchedulerTest, TheConditionTellsOfRetriesUntilTheySucceed) {
  SchedulerDriver job;
  EXPECT_EQ(job.scheduler().condition(), Condition::kStarting);
  job.StartRunning(0);
  EXPECT_EQ(job.scheduler().condition(), Condition::kRunning);

  job.Feed(event::AttemptFailed{0, 1, SchedulerDriver::ErrorOf(ErrorKind::kUnavailable)});
  EXPECT_EQ(job.scheduler().condition(), Condition::kRetrying);
  EXPECT_FALSE(job.scheduler().retried_error().ok());
  job.PassTime(std::chrono::milliseconds(100));
  job.Feed(event::TimerFired{});
  job.PrepareAll(0, 2);
  EXPECT_EQ(job.scheduler().condition(), Condition::kRunning);
  EXPECT_TRUE(job.scheduler().retried_error().ok());
}

}  // namespace
}  // namespace tidemill::driver
