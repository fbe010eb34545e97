#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/cluster/job_board.h"
#include "driver/cluster/job_planning.h"
#include "driver/cluster/job_record.h"

namespace tidemill::driver {

// The actor behind the board. All on options.executor, but for Resume, which comes before anything
// else; blocking work goes to options.io and posts back. *Thread-compatible.*
class JobBoard::Impl : public std::enable_shared_from_this<JobBoard::Impl> {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  // Runs `task` with this on the executor.
  template <class Task>
  void Post(Task task) {
    options_.executor->Post(
        [self = shared_from_this(), task = std::move(task)]() mutable { task(self.get()); });
  }

  arrow::Status Resume();
  void Submit(proto::SubmitRequest request, Reply<proto::SubmitReply> done);
  std::vector<proto::JobInfo> ListJobs() const;
  void GetJob(const std::string& job, Reply<proto::GetJobReply> done);
  void StopJob(const std::string& job, bool now, Reply<proto::JobInfo> done);
  void Follow(const std::string& job, std::shared_ptr<const Follower> follower);
  void Unfollow(const std::shared_ptr<const Follower>& follower);
  std::vector<proto::WorkerInfo> ListWorkers() const;
  void Shutdown(std::function<void()> done);
  void OnWorkerJoined(const std::string& worker);
  void OnWorkerLeaving(const std::string& worker);
  // The executors have stopped: lets go of the jobs.
  void Abandon();

 private:
  // A submission by its idempotency key.
  struct Submission {
    std::vector<JobRecordPtr> jobs;
    std::vector<std::string> warnings;
    std::vector<Reply<proto::SubmitReply>> waiting;  // until it is decided
    bool is_decided = false;
  };
  using SubmissionPtr = std::shared_ptr<Submission>;

  // Runs `work` on the I/O pool and `then` with its result on the executor.
  template <class Work, class Then>
  void RunOnIo(Work work, Then then) {
    options_.io->Post(
        [self = shared_from_this(), work = std::move(work), then = std::move(then)]() mutable {
          auto result = std::make_shared<decltype(work())>(work());
          self->options_.executor->Post(
              [result, then = std::move(then)]() mutable { then(std::move(*result)); });
        });
  }

  // Submissions.
  void OnPlanned(const std::string& key, const proto::SubmitRequest& request,
                 arrow::Result<std::vector<PlannedSubmission>> planned);
  arrow::Status CheckFree(const std::vector<PlannedSubmission>& planned) const;
  void OnRegistered(const std::string& key, const std::vector<JobRecordPtr>& replaced,
                    std::vector<PlannedSubmission> planned, const arrow::Status& status);
  void Decide(const std::string& key, const arrow::Status& status);
  static proto::SubmitReply ReplyOf(const Submission& submission);
  JobRecordPtr MakeRecord(proto::RegisteredJob registered) const;
  void ForgetSubmissionOf(const JobRecordPtr& job);

  // Lives.
  arrow::Status ResumeOne(const JobRecordPtr& job);
  void Start(const JobRecordPtr& job, JobDefinition definition);
  JobEnvironment EnvironmentOf(const JobRecordPtr& job);
  void StopRunner(const JobRecordPtr& job, StopMode mode);
  void OnDone(const JobRecordPtr& job, const JobResult& result);
  // The job came to `outcome` because somebody took its checkpoint.
  void OnFenced(const JobRecordPtr& job, const proto::JobInfo& outcome);
  void StartAgain(const JobRecordPtr& job);
  void Finish(const JobRecordPtr& job, const proto::JobInfo& outcome);
  void OnEnded(const JobRecordPtr& job, const proto::JobInfo& outcome);
  void ForgetOldest();
  // Writes the job's file with this info; `then` on the executor, after failures too.
  void Store(const JobRecordPtr& job, const proto::JobInfo& info, std::function<void()> then);
  // A job has nothing left to do here.
  void OnIdle();

  void WatchTerm();
  // Whether `status` says that the process must not go on; tells it so.
  bool IsFatal(const arrow::Status& status) const;

  std::vector<JobRecordPtr> JobsInOrder() const;

  const Options options_;
  std::map<std::string, JobRecordPtr> jobs_;          // by id
  std::map<std::string, SubmissionPtr> submissions_;  // by idempotency key
  std::vector<std::shared_ptr<Executor>> retired_;    // stopped; may still be posted to
  int running_ = 0;  // jobs that run, or whose outcome is being stored
  bool is_shutting_down_ = false;
  std::vector<std::function<void()>> shutdown_waiters_;
};

}  // namespace tidemill::driver
