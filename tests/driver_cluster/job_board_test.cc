#include "driver/cluster/job_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "driver/log/term.h"
#include "tests/driver_cluster/cluster_simulation.h"

namespace tidemill::driver {
namespace {

using std::chrono::milliseconds;

class JobBoardTest : public testing::Test {
 protected:
  JobBoardTest() { EXPECT_TRUE(cluster_.StartDriver().ok()); }

  // Until the job has finished an epoch that leaves no record unread.
  void AwaitRows(int64_t rows) {
    cluster_.RunUntil([&] {
      return !cluster_.world.source_commits.empty() && cluster_.world.source_commits.back() == rows;
    });
  }

  ClusterSimulation cluster_;
};

TEST_F(JobBoardTest, ASubmittedJobRunsOnTheWorkersUntilItsTriggerIsDone) {
  cluster_.world.available = 7;
  cluster_.AddWorker("a");
  cluster_.AddWorker("b");
  const auto reply = cluster_.Submit(cluster_.Request("numbers", "available-now"));
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->jobs_size(), 1);
  EXPECT_EQ(reply->jobs(0).name(), "numbers");
  cluster_.Await("numbers", proto::JobInfo::FINISHED);
  EXPECT_EQ(cluster_.world.Rows(), "0-3;3-6;6-7;");
  const auto info = cluster_.Get(reply->jobs(0).id());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->last_committed(), 2);
  EXPECT_EQ(info->epochs(), 3);
  EXPECT_EQ(info->input_rows(), 7);
  EXPECT_EQ(info->checkpoint(), cluster_.directory / "root/checkpoints/numbers");
  EXPECT_GT(info->finished_us(), info->submitted_us());
}

TEST_F(JobBoardTest, AJobWaitsForItsFirstWorker) {
  cluster_.world.available = 2;
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers", "available-now")).ok());
  cluster_.RunFor(milliseconds(500));
  EXPECT_EQ(cluster_.Get("numbers")->state(), proto::JobInfo::STARTING);
  cluster_.AddWorker("a");
  cluster_.Await("numbers", proto::JobInfo::FINISHED);
  EXPECT_EQ(cluster_.world.Rows(), "0-2;");
}

TEST_F(JobBoardTest, TheStatusHoldsTheLastEpochsInSparksShape) {
  cluster_.world.available = 5;
  cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(5);
  cluster_.RunFor(milliseconds(20));
  const auto status = cluster_.Answer<proto::GetJobReply>(
      [&](auto done) { cluster_.board->GetJob("numbers", std::move(done)); });
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->info().state(), proto::JobInfo::RUNNING);
  EXPECT_EQ(status->info().slots(), 2);
  ASSERT_EQ(status->recent_progress_size(), 2);
  EXPECT_NE(status->recent_progress(1).find("\"batchId\":1"), std::string::npos);
}

TEST_F(JobBoardTest, TheNameOfAnActiveJobIsTaken) {
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  const auto second = cluster_.Submit(cluster_.Request("numbers"));
  EXPECT_EQ(ErrorClassOf(second.status()), "JOB_EXISTS");
  EXPECT_EQ(KindOf(second.status()), ErrorKind::kConflict);
  proto::SubmitRequest renamed = cluster_.Request("numbers");
  renamed.set_name("others");
  const auto third = cluster_.Submit(renamed);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(third->jobs(0).name(), "others");
  EXPECT_EQ(cluster_.List().size(), 2u);
}

TEST_F(JobBoardTest, ACheckpointHasOneActiveJob) {
  proto::SubmitRequest request = cluster_.Request("numbers");
  *request.mutable_specification() += "checkpointLocation: shared\n";
  ASSERT_TRUE(cluster_.Submit(request).ok());
  request.set_name("others");
  const auto second = cluster_.Submit(request);
  EXPECT_EQ(ErrorClassOf(second.status()), "CHECKPOINT_IN_USE");
  EXPECT_NE(second.status().message().find("numbers"), std::string::npos);
}

TEST_F(JobBoardTest, ARepeatedRequestStartsNothingTwice) {
  proto::SubmitRequest request = cluster_.Request("numbers");
  request.set_idempotency_key("one");
  std::vector<std::string> ids;
  const auto note = [&](const arrow::Result<proto::SubmitReply>& reply) {
    ASSERT_TRUE(reply.ok()) << reply.status();
    ids.push_back(reply->jobs(0).id());
  };
  cluster_.board->Submit(request, note);
  cluster_.board->Submit(request, note);  // While the first one is being planned.
  cluster_.RunUntil([&] { return ids.size() == 2; });
  note(cluster_.Submit(request));
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(cluster_.List().size(), 1u);
}

TEST_F(JobBoardTest, ErrorsShowTheirPlaceInTheSpecification) {
  proto::SubmitRequest request = cluster_.Request("numbers");
  std::string* text = request.mutable_specification();
  text->replace(text->find("SELECT value"), 12, "SELECT valeu");
  const auto reply = cluster_.Submit(request);
  EXPECT_EQ(KindOf(reply.status()), ErrorKind::kInvalid);
  EXPECT_NE(RenderError(reply.status()).find("job.yaml:4:15"), std::string::npos)
      << RenderError(reply.status());
  EXPECT_TRUE(cluster_.List().empty());
  // The key of a failed submission is free again.
  request.set_idempotency_key("one");
  EXPECT_FALSE(cluster_.Submit(request).ok());
  *request.mutable_specification() = cluster_.Request("numbers").specification();
  EXPECT_TRUE(cluster_.Submit(request).ok());
}

TEST_F(JobBoardTest, JobsOfOneSpecificationStartTogetherOrNotAtAll) {
  const auto job = [](const std::string& name) {
    return "  - {name: " + name +
           ", sources: {t: {format: text, path: in}}, query: SELECT value FROM t, "
           "sink: {format: noop}}\n";
  };
  proto::SubmitRequest request = cluster_.Request("unused");
  request.set_specification("jobs:\n" + job("one") + job("two"));
  const auto reply = cluster_.Submit(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->jobs_size(), 2);
  request.set_specification("jobs:\n" + job("three") + job("two"));
  EXPECT_EQ(ErrorClassOf(cluster_.Submit(request).status()), "JOB_EXISTS");
  EXPECT_EQ(cluster_.List().size(), 2u);
}

TEST_F(JobBoardTest, AStoppedJobIsAnsweredWhenItHasEnded) {
  cluster_.world.available = 4;
  cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(4);
  const auto stopped = cluster_.Stop("numbers");
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(stopped->state(), proto::JobInfo::STOPPED);
  EXPECT_EQ(stopped->last_committed(), 1);
  EXPECT_EQ(cluster_.Stop("numbers")->state(), proto::JobInfo::STOPPED);
  // The same checkpoint again: the job goes on under its id.
  cluster_.world.available = 6;
  const auto again = cluster_.Submit(cluster_.Request("numbers", "available-now"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->jobs(0).id(), stopped->id());
  cluster_.Await("numbers", proto::JobInfo::FINISHED);
  EXPECT_EQ(cluster_.world.Rows(), "0-3;3-4;4-6;");
  EXPECT_EQ(cluster_.List().size(), 1u);
}

TEST_F(JobBoardTest, JobsAreFoundByIdPrefixAndName) {
  const std::string id = cluster_.Submit(cluster_.Request("numbers"))->jobs(0).id();
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("others")).ok());
  EXPECT_EQ(cluster_.Get(id)->id(), id);
  EXPECT_EQ(cluster_.Get(id.substr(0, 8))->id(), id);
  EXPECT_EQ(cluster_.Get("numbers")->id(), id);
  EXPECT_EQ(ErrorClassOf(cluster_.Get("").status()), "JOB_NOT_FOUND");
  const arrow::Status missing = cluster_.Get("nubmers").status();
  EXPECT_EQ(KindOf(missing), ErrorKind::kNotFound);
  EXPECT_NE(RenderError(missing).find("did you mean numbers?"), std::string::npos);
}

TEST_F(JobBoardTest, AJobThatFailsSaysWhy) {
  cluster_.world.available = 4;
  cluster_.AddWorker("a")->fail_epoch[1] =
      MakeError(ErrorKind::kJobFailed, "DIVIDE_BY_ZERO", "Division by zero.");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  cluster_.Await("numbers", proto::JobInfo::FAILED);
  const auto info = cluster_.Get("numbers");
  EXPECT_EQ(info->error().error_class(), "DIVIDE_BY_ZERO");
  EXPECT_EQ(info->last_committed(), 0);
  EXPECT_TRUE(cluster_.fatal.empty());
}

TEST_F(JobBoardTest, AStrangerThatTakesTheCheckpointEndsTheJobAlone) {
  cluster_.world.available = 3;
  cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(3);
  ASSERT_TRUE(Term::Take(FileSystem::Local(), cluster_.root->CheckpointOf("numbers"), "a stranger",
                         /*is_durable=*/false)
                  .ok());
  cluster_.world.available = 6;
  cluster_.Await("numbers", proto::JobInfo::FAILED);
  EXPECT_EQ(cluster_.Get("numbers")->error().error_class(), "FENCED");
  EXPECT_TRUE(cluster_.fatal.empty());
}

// The driver before this one was opening the job when it was suspended, and goes on now: it takes a
// term of the checkpoint, finds itself fenced by the root, and ends.
TEST_F(JobBoardTest, AJobThatAnOlderDriverHasFencedStartsAgain) {
  const std::string older = cluster_.root->holder();
  cluster_.Crash();
  ASSERT_TRUE(cluster_.StartDriver().ok());
  cluster_.world.available = 3;
  cluster_.AddWorker("a");
  const std::string id = cluster_.Submit(cluster_.Request("numbers"))->jobs(0).id();
  AwaitRows(3);
  ASSERT_TRUE(Term::Take(FileSystem::Local(), cluster_.root->CheckpointOf("numbers"),
                         older + " nonce=1", /*is_durable=*/false)
                  .ok());
  cluster_.world.available = 6;
  AwaitRows(6);
  EXPECT_EQ(cluster_.world.Rows(), "0-3;3-6;");
  EXPECT_EQ(cluster_.Get("numbers")->id(), id);
  EXPECT_EQ(cluster_.Get("numbers")->state(), proto::JobInfo::RUNNING);
  EXPECT_TRUE(cluster_.fatal.empty());
}

TEST_F(JobBoardTest, AFencedDriverOpensNoJobAndEnds) {
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  const std::string checkpoint = cluster_.root->CheckpointOf("numbers");
  cluster_.RunUntil([&] { return *Term::NewestHolder(FileSystem::Local(), checkpoint) != ""; });
  cluster_.Crash();
  ASSERT_TRUE(cluster_.StartDriver().ok());  // It has resumed the job, but not opened it.
  const std::string before = *Term::NewestHolder(FileSystem::Local(), checkpoint);
  ASSERT_TRUE(ClusterRoot::Open({.fs = FileSystem::Local(),
                                 .random = &cluster_.time,
                                 .path = cluster_.directory / "root",
                                 .listen = "127.0.0.1:7401",
                                 .holder = "pid=2 host=simulation"})
                  .ok());
  cluster_.RunUntil([&] { return !cluster_.fatal.empty(); });
  EXPECT_EQ(KindOf(cluster_.fatal[0]), ErrorKind::kFenced);
  EXPECT_EQ(*Term::NewestHolder(FileSystem::Local(), checkpoint), before);
}

TEST_F(JobBoardTest, AFailedFsyncEndsTheDriver) {
  cluster_.world.available = 4;
  cluster_.AddWorker("a")->fail_epoch[1] =
      MakeError(ErrorKind::kBug, "FSYNC_FAILED", "fsync: Input/output error");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  cluster_.RunUntil([&] { return !cluster_.fatal.empty(); });
  EXPECT_EQ(ErrorClassOf(cluster_.fatal[0]), "FSYNC_FAILED");
}

TEST_F(JobBoardTest, WhoFollowsAJobIsToldItsOutcome) {
  cluster_.world.available = 1;
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers", "available-now")).ok());
  cluster_.AddWorker("a");
  const auto follow = [&] {
    return cluster_.Answer<proto::JobInfo>([&](auto done) {
      cluster_.board->Follow("numbers",
                             std::make_shared<const JobBoard::Follower>(JobBoard::Follower{
                                 .on_text = [](std::string_view) {}, .done = std::move(done)}));
    });
  };
  EXPECT_EQ(follow()->state(), proto::JobInfo::FINISHED);
  EXPECT_EQ(follow()->state(), proto::JobInfo::FINISHED) << "also after the end";
}

TEST_F(JobBoardTest, AWorkerThatLeavesIsReleasedFromItsJobs) {
  cluster_.world.available = 3;
  cluster_.AddWorker("a");
  cluster_.AddWorker("b");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(3);
  cluster_.Leave("a");
  cluster_.world.available = 5;
  AwaitRows(5);
  cluster_.RunFor(milliseconds(100));
  EXPECT_EQ(cluster_.Get("numbers")->slots(), 2);
  const auto workers = cluster_.registry->Describe();
  ASSERT_EQ(workers.size(), 2u);
  EXPECT_EQ(workers[0].state(), "LEAVING");
  EXPECT_EQ(workers[0].jobs(), 0);
}

TEST_F(JobBoardTest, ANewerDriverEndsThisOne) {
  cluster_.RunFor(milliseconds(600));
  EXPECT_TRUE(cluster_.fatal.empty());
  const auto newer = ClusterRoot::Open({.fs = FileSystem::Local(),
                                        .random = &cluster_.time,
                                        .path = cluster_.directory / "root",
                                        .listen = "127.0.0.1:7401",
                                        .holder = "pid=2 host=simulation"});
  ASSERT_TRUE(newer.ok());
  cluster_.RunFor(milliseconds(600));
  ASSERT_EQ(cluster_.fatal.size(), 1u);
  EXPECT_EQ(KindOf(cluster_.fatal[0]), ErrorKind::kFenced);
  EXPECT_EQ(KindOf(cluster_.Submit(cluster_.Request("numbers")).status()), ErrorKind::kFenced);
}

// A driver that is killed and started again on the same root.

TEST_F(JobBoardTest, TheNextDriverResumesWhatHadNotEnded) {
  cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("done")).ok());
  ASSERT_TRUE(cluster_.Stop("done").ok());
  cluster_.world.available = 4;
  const std::string id = cluster_.Submit(cluster_.Request("numbers"))->jobs(0).id();
  AwaitRows(4);
  cluster_.Crash();

  cluster_.world.available = 9;
  ASSERT_TRUE(cluster_.StartDriver().ok());
  EXPECT_EQ(cluster_.root->term(), 2u);
  EXPECT_EQ(cluster_.Get("done")->state(), proto::JobInfo::STOPPED);
  EXPECT_EQ(cluster_.Get("numbers")->id(), id);
  cluster_.AddWorker("b");
  AwaitRows(9);
  EXPECT_EQ(cluster_.world.Rows(), "0-3;3-4;4-7;7-9;");
}

TEST_F(JobBoardTest, AWorkerThatComesBackToTheNextDriverKeepsItsState) {
  cluster_.world.available = 4;
  const auto worker = cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(4);
  cluster_.Crash();
  cluster_.world.available = 6;
  ASSERT_TRUE(cluster_.StartDriver().ok());
  cluster_.Join(worker);
  AwaitRows(6);
  EXPECT_THAT(worker->received, testing::Contains(testing::StartsWith("Adopt")));
  EXPECT_EQ(std::count(worker->received.begin(), worker->received.end(), "Deploy"), 1);
}

TEST_F(JobBoardTest, AResumedJobWaitsAMomentForAllWorkersThatKeptItsState) {
  cluster_.world.available = 4;
  const auto first = cluster_.AddWorker("a");
  const auto second = cluster_.AddWorker("b");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(4);
  cluster_.Crash();
  cluster_.world.available = 6;
  ASSERT_TRUE(cluster_.StartDriver().ok());
  cluster_.Join(first);
  cluster_.RunFor(milliseconds(200));
  EXPECT_EQ(cluster_.world.source_commits.back(), 4) << "the other one may still come";
  cluster_.Join(second);
  AwaitRows(6);
  for (const auto& worker : {first, second}) {
    EXPECT_THAT(worker->received, testing::Contains(testing::StartsWith("Adopt")));
    EXPECT_EQ(std::count(worker->received.begin(), worker->received.end(), "Deploy"), 1);
  }
}

TEST_F(JobBoardTest, AResumedJobGoesOnWithoutAWorkerThatDoesNotComeBack) {
  cluster_.world.available = 4;
  const auto first = cluster_.AddWorker("a");
  cluster_.AddWorker("b");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(4);
  cluster_.Crash();
  cluster_.world.available = 6;
  ASSERT_TRUE(cluster_.StartDriver().ok());
  cluster_.Join(first);
  cluster_.RunFor(milliseconds(400));
  EXPECT_EQ(cluster_.world.source_commits.back(), 6);
}

TEST_F(JobBoardTest, AJobThatCannotStartAnyMoreIsFailedWithItsError) {
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  cluster_.Crash();
  ASSERT_TRUE(RemoveTree(FileSystem::Local(), cluster_.directory / "in").ok());
  ASSERT_TRUE(cluster_.StartDriver().ok());
  const auto info = cluster_.Get("numbers");
  EXPECT_EQ(info->state(), proto::JobInfo::FAILED);
  EXPECT_NE(info->error().message().find("in"), std::string::npos);
  cluster_.Crash();
  ASSERT_TRUE(FileSystem::Local()->CreateDirectories(cluster_.directory / "in").ok());
  ASSERT_TRUE(cluster_.StartDriver().ok());
  EXPECT_EQ(cluster_.Get("numbers")->state(), proto::JobInfo::FAILED) << "that is final";
}

TEST_F(JobBoardTest, AStopThatTheDriverDidNotSurviveStandsAllTheSame) {
  cluster_.world.available = 4;
  cluster_.AddWorker("a")->is_silent = true;
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  cluster_.RunFor(milliseconds(100));
  EXPECT_EQ(cluster_.Stop("numbers")->state(), proto::JobInfo::STOPPING) << "answered in time";
  cluster_.Crash();
  ASSERT_TRUE(cluster_.StartDriver().ok());
  EXPECT_EQ(cluster_.Get("numbers")->state(), proto::JobInfo::STOPPED);
}

TEST_F(JobBoardTest, AShutdownDrainsTheJobsAndLeavesThemToTheNextDriver) {
  cluster_.world.available = 4;
  cluster_.AddWorker("a");
  ASSERT_TRUE(cluster_.Submit(cluster_.Request("numbers")).ok());
  AwaitRows(4);
  bool is_down = false;
  cluster_.board->Shutdown([&] { is_down = true; });
  cluster_.RunUntil([&] { return is_down; });
  EXPECT_EQ(ErrorClassOf(cluster_.Submit(cluster_.Request("late")).status()), "DRIVER_STOPPING");
  cluster_.Crash();
  ASSERT_TRUE(cluster_.StartDriver().ok());
  EXPECT_EQ(cluster_.Get("numbers")->state(), proto::JobInfo::STARTING);
}

TEST_F(JobBoardTest, ARepeatedRequestIsKnownToTheNextDriver) {
  proto::SubmitRequest request = cluster_.Request("numbers");
  request.set_idempotency_key("one");
  const std::string id = cluster_.Submit(request)->jobs(0).id();
  cluster_.Crash();
  ASSERT_TRUE(cluster_.StartDriver().ok());
  const auto again = cluster_.Submit(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->jobs(0).id(), id);
}

}  // namespace
}  // namespace tidemill::driver
