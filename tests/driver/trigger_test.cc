#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/driver/scheduler_driver.h"

namespace tidemill::driver {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// Takes the epoch whose attempt is out through its commit.
std::vector<std::string> Finish(SchedulerDriver* job, int64_t epoch, bool has_more) {
  std::vector<std::string> all = job->Feed(event::PlanDurable{epoch});
  const auto add = [&all](std::vector<std::string> actions) {
    for (std::string& action : actions) all.push_back(std::move(action));
  };
  add(job->PrepareAll(epoch, 1));
  if (testing::Matches(Contains(testing::StartsWith("Poll")))(all)) {
    add(job->Feed(event::InputPolled{has_more}));
  }
  add(job->Feed(event::SinksCommitted{epoch}));
  add(job->Feed(event::CommitDurable{epoch}));
  return all;
}

Trigger Every(milliseconds interval) {
  return {.kind = TriggerKind::kProcessingTime, .interval = interval};
}

TEST(DefaultTriggerTest, PollsEveryTenMillisecondsWhileThereIsNothing) {
  SchedulerDriver job;
  job.StartFresh();

  EXPECT_THAT(job.Feed(event::InputPolled{false}), ElementsAre("Timer at 1000010250"));
  job.PassTime(milliseconds(9));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Timer at 1000010250")) << "too early";
  job.PassTime(milliseconds(1));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Poll"));
}

TEST(DefaultTriggerTest, AWakeUpEndsTheWait) {
  SchedulerDriver job;
  job.StartFresh();
  job.Feed(event::InputPolled{false});

  EXPECT_THAT(job.Feed(event::Woken{}), ElementsAre("Poll"));
  EXPECT_THAT(job.Feed(event::Woken{}), IsEmpty()) << "one poll at a time";
  EXPECT_THAT(job.Feed(event::InputPolled{false}), ElementsAre("Poll"))
      << "woken while polling: the answer may be older";
}

TEST(DefaultTriggerTest, APollThatFailsIsRepeatedWithBackOff) {
  SchedulerDriver job;
  job.StartFresh();
  const auto unavailable = SchedulerDriver::ErrorOf(ErrorKind::kUnavailable);

  EXPECT_THAT(job.Feed(event::PollFailed{unavailable}),
              ElementsAre("Retry in 100ms", "Timer at 1000100250"));
  job.PassTime(milliseconds(100));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Poll"));
  EXPECT_THAT(job.Feed(event::PollFailed{SchedulerDriver::ErrorOf(ErrorKind::kInvalid)}),
              ElementsAre("Finish KIND_3"));
}

TEST(ProcessingTimeTriggerTest, BeginsAtOnceThenAtMultiplesOfTheInterval) {
  SchedulerDriver job(Every(milliseconds(1000)));
  job.StartFresh();  // at 1000.000250 s
  EXPECT_THAT(job.Feed(event::InputPolled{true}), ElementsAre("Plan 0", "Run 0.1 after -1.1"));

  EXPECT_THAT(Finish(&job, 0, true), ElementsAre("CommitSinks 0.1", "Timer at 1001000000",
                                                 "Commit 0.1", "Tell 0.1", "CommitSources 0"));
  EXPECT_THAT(job.Feed(event::Woken{}), IsEmpty()) << "data waits for the boundary";
  job.PassTime(milliseconds(1000));
  EXPECT_THAT(job.Feed(event::TimerFired{}), ElementsAre("Poll"));
}

TEST(ProcessingTimeTriggerTest, NoDataAtABoundaryMeansNoEpochUntilTheNext) {
  SchedulerDriver job(Every(milliseconds(1000)));
  job.StartFresh();

  EXPECT_THAT(job.Feed(event::InputPolled{false}), ElementsAre("Timer at 1001000000"));
}

TEST(ProcessingTimeTriggerTest, FallingBehindIsReportedAndMissedBoundariesAreNotMadeUpFor) {
  SchedulerDriver job(Every(milliseconds(1000)));
  job.StartFresh();
  job.RunNext();
  job.PassTime(milliseconds(3500));

  EXPECT_THAT(Finish(&job, 0, true),
              ElementsAre("Poll", "CommitSinks 0.1", "Commit 0.1 + plan", "Behind 3500ms",
                          "Run 1.1 after 0.1", "CommitSources 0"));
  EXPECT_THAT(Finish(&job, 1, true), Contains("Timer at 1004000000")) << "one at once, not three";
}

TEST(OnceTriggerTest, TakesEverythingInOneEpoch) {
  SchedulerDriver job({.kind = TriggerKind::kOnce});

  EXPECT_THAT(job.Feed(event::Recovered{}), ElementsAre("Poll all"));
  job.Feed(event::WorkersChanged{{"a", "b"}});
  job.Assigned(1);
  job.RunNext();
  EXPECT_THAT(Finish(&job, 0, false), ElementsAre("CommitSinks 0.1", "Commit 0.1", "Tell 0.1",
                                                  "CommitSources 0", "Finish ok"));
}

TEST(OnceTriggerTest, EndsWithoutEpochWhenThereIsNothing) {
  SchedulerDriver job({.kind = TriggerKind::kOnce});
  job.StartFresh();

  EXPECT_THAT(job.Feed(event::InputPolled{false}), ElementsAre("Finish ok"));
}

TEST(OnceTriggerTest, RunsAnUncommittedEpochAgainAndNothingElse) {
  SchedulerDriver job({.kind = TriggerKind::kOnce});

  EXPECT_THAT(job.Feed(event::Recovered{.last_committed = 6, .last_attempt = 1, .open_epoch = 7}),
              IsEmpty());
  job.Feed(event::WorkersChanged{{"a", "b"}});
  EXPECT_THAT(job.Assigned(1), ElementsAre("Run 7.1 after 6.1"));
  EXPECT_THAT(Finish(&job, 7, true), ElementsAre("CommitSinks 7.1", "Commit 7.1", "Tell 7.1",
                                                 "CommitSources 7", "Finish ok"));
}

TEST(AvailableNowTriggerTest, FixesTheEndsAndRunsUntilNothingIsLeft) {
  SchedulerDriver job({.kind = TriggerKind::kAvailableNow});

  EXPECT_THAT(job.Feed(event::Recovered{}), ElementsAre("FixEnds", "Poll"));
  job.Feed(event::WorkersChanged{{"a", "b"}});
  job.Assigned(1);
  job.RunNext();
  EXPECT_THAT(Finish(&job, 0, true), Contains("Run 1.1 after 0.1"));
  EXPECT_THAT(Finish(&job, 1, false), Contains("Finish ok"));
}

TEST(AvailableNowTriggerTest, RunsAnUncommittedEpochFirstThenTheRest) {
  SchedulerDriver job({.kind = TriggerKind::kAvailableNow});

  EXPECT_THAT(job.Feed(event::Recovered{.last_committed = 6, .last_attempt = 1, .open_epoch = 7}),
              ElementsAre("FixEnds"));
  job.Feed(event::WorkersChanged{{"a", "b"}});
  EXPECT_THAT(job.Assigned(1), ElementsAre("Run 7.1 after 6.1"));
  EXPECT_THAT(Finish(&job, 7, true), Contains("Run 8.1 after 7.1"));
  EXPECT_THAT(Finish(&job, 8, false), Contains("Finish ok"));
}

TEST(AvailableNowTriggerTest, EvictsByAnEpochWithoutInputBeforeItEnds) {
  SchedulerDriver job({.kind = TriggerKind::kAvailableNow});
  job.StartRunning(3);
  job.PrepareAll(3, 1);
  job.Feed(event::InputPolled{false});
  job.Feed(event::SinksCommitted{3});

  EXPECT_THAT(job.Feed(event::CommitDurable{3, /*wants_epoch=*/true}),
              testing::ElementsAre("Plan 4", "Run 4.1 after 3.1", "CommitSources 3"));
  EXPECT_THAT(Finish(&job, 4, false), Contains("Finish ok"));
}

TEST(OnceTriggerTest, HasNoEpochWithoutInput) {
  SchedulerDriver job({.kind = TriggerKind::kOnce});
  job.StartRunning(3);
  job.PrepareAll(3, 1);
  job.Feed(event::SinksCommitted{3});

  EXPECT_THAT(job.Feed(event::CommitDurable{3, /*wants_epoch=*/true}), Contains("Finish ok"));
}

TEST(DefaultTriggerTest, AnEpochWithoutInputFollowsAtOnceUnlessInputIsThere) {
  SchedulerDriver idle;
  idle.StartRunning(3);
  idle.PrepareAll(3, 1);
  idle.Feed(event::InputPolled{false});
  idle.Feed(event::SinksCommitted{3});
  EXPECT_THAT(idle.Feed(event::CommitDurable{3, /*wants_epoch=*/true}), Contains("Plan 4"));

  SchedulerDriver busy;
  busy.StartRunning(3);
  busy.PrepareAll(3, 1);
  busy.Feed(event::InputPolled{true});
  EXPECT_THAT(busy.Feed(event::SinksCommitted{3}), Contains("Commit 3.1 + plan"));
  EXPECT_THAT(busy.Feed(event::CommitDurable{3, /*wants_epoch=*/true}),
              testing::Not(Contains("Plan 5")));
}

TEST(DefaultTriggerTest, ARestartRunsTheEpochWithoutInputThatIsDue) {
  SchedulerDriver job;
  job.Feed(event::Recovered{.last_committed = 3, .last_attempt = 1, .wants_epoch = true});
  job.Feed(event::WorkersChanged{{"a", "b"}});
  job.Assigned(1);

  EXPECT_THAT(job.Feed(event::InputPolled{false}), Contains("Plan 4"));
}

TEST(StopTest, DrainFinishesTheOpenEpochAndBeginsNoOther) {
  SchedulerDriver job;
  job.StartFresh();
  job.RunNext();

  EXPECT_THAT(job.Feed(event::StopRequested{.is_drain = true}), IsEmpty());
  EXPECT_THAT(Finish(&job, 0, true), ElementsAre("CommitSinks 0.1", "Commit 0.1", "Tell 0.1",
                                                 "CommitSources 0", "Finish ok stopped"));
}

TEST(StopTest, DrainOfAnIdleJobEndsIt) {
  SchedulerDriver job;
  job.StartFresh();
  EXPECT_THAT(job.Feed(event::StopRequested{.is_drain = true}), ElementsAre("Finish ok stopped"));
}

TEST(StopTest, DrainLeavesANextEpochThatIsLoggedButNotBegunForTheNextStart) {
  SchedulerDriver job;
  job.StartRunning(0);
  job.PrepareAll(0, 1);
  job.Feed(event::InputPolled{true});
  EXPECT_THAT(job.Feed(event::SinksCommitted{0}), ElementsAre("Commit 0.1 + plan"));

  EXPECT_THAT(job.Feed(event::StopRequested{.is_drain = true}), IsEmpty());
  EXPECT_THAT(job.Feed(event::CommitDurable{0}),
              ElementsAre("Tell 0.1", "CommitSources 0", "Finish ok stopped"));
}

TEST(StopTest, NowAbandonsTheOpenEpoch) {
  SchedulerDriver job;
  job.StartFresh();
  job.RunNext();

  EXPECT_THAT(job.Feed(event::StopRequested{.is_drain = false}),
              ElementsAre("Abort 0.1", "Finish ok stopped"));
}

}  // namespace
}  // namespace tidemill::driver
