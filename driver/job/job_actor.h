#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/epoch/scheduler.h"
#include "driver/job/epoch_in_flight.h"
#include "driver/job/io_strand.h"
#include "driver/job/job_runner.h"
#include "driver/job/job_start.h"
#include "driver/job/worker_set.h"

namespace tidemill::driver {

// Carries out what the scheduler decides. Everything runs on environment.executor but the bodies
// posted to the strands, which hand their results back as posts. Of the opened job, the log belongs
// to the log strand, the sources to the source strand and the sink to the sink strand; the rest to
// the actor. *Thread-compatible.*
class JobRunner::Actor : public std::enable_shared_from_this<JobRunner::Actor> {
 public:
  Actor(JobDefinition definition, JobEnvironment environment,
        std::function<void(JobResult)> on_done);

  void Start();
  void Stop(StopMode mode);  // from any thread
  void Abandon();            // when the executors have stopped

 private:
  // Feeds the scheduler and carries its actions out; events that come meanwhile follow after.
  void Feed(SchedulerEvent event);
  void Do(const action::FixSourceEnds& action);
  void Do(const action::PollSources& action);
  void Do(const action::AppendPlan& action);
  void Do(const action::Assign& action);
  void Do(const action::SendRun& action);
  void Do(const action::SendAbort& action);
  void Do(const action::CommitSinks& action);
  void Do(const action::AppendCommit& action);
  void Do(const action::TellCommitted& action);
  void Do(const action::CommitSources& action);
  void Do(const action::ReportFallingBehind& action);
  void Do(const action::ReportRetry& action);
  void Do(const action::ArmTimer& action);
  void Do(const action::Finish& action);

  void OnOpened(arrow::Result<std::unique_ptr<OpenedJob>> opened);
  void OnMessage(const std::string& worker, proto::ToDriver message);
  void OnWorkerLost(const std::string& worker, const arrow::Status& why);
  void OnAssigned(const std::string& worker, const proto::Assigned& message);
  void OnPrepared(const std::string& worker, proto::Prepared message);

  struct Polled {
    std::vector<connectors::EpochInput> inputs;
    std::optional<std::vector<std::string>> snapshots;  // before the poll, for a Base
    SteadyTime begin{};
    SteadyTime end{};
  };
  void OnPolled(arrow::Result<Polled> polled, Timestamp trigger);
  void OnPlanLogged(arrow::Status status, const std::vector<proto::LogRecord>& records);
  void OnCommitLogged(arrow::Status status, const proto::LogRecord& record);
  // Makes the in-flight epoch of what was polled last.
  std::unique_ptr<EpochInFlight> PlanNext(int64_t epoch);
  bool IsBaseDue() const;
  // What an open epoch of the log looks like in flight.
  std::unique_ptr<EpochInFlight> RecoveredEpoch() const;
  void ReportProgress(const EpochInFlight& epoch);
  void ReplaceSink(const action::Assign& action);
  void SetDeployment(bool with_stored_plan);

  // Logs what nobody needs any more as dropped, then deletes it.
  void CollectGarbage(bool has_new_base);
  std::set<std::string> FilesInUse() const;

  // Ends the process where an fsync failed: nothing in memory is known to be on disk. From any
  // thread.
  void CheckFatal(const arrow::Status& status) const;
  // Runs `work` on the strand and `then` with its result on the actor.
  template <class Work, class Then>
  void RunOn(const std::shared_ptr<IoStrand>& strand, Work work, Then then);
  // Calls `then` on the actor once all that was posted to the strands has run.
  void Drain(std::function<void()> then);
  void Complete();

  const JobDefinition definition_;
  const JobEnvironment environment_;
  std::function<void(JobResult)> on_done_;
  const std::string run_id_;
  const std::shared_ptr<IoStrand> log_strand_;
  const std::shared_ptr<IoStrand> source_strand_;
  const std::shared_ptr<IoStrand> sink_strand_;
  const std::shared_ptr<IoStrand> cleanup_strand_;

  EpochScheduler scheduler_;
  std::deque<SchedulerEvent> events_;
  bool is_feeding_ = false;
  uint64_t timer_ = 0;  // the newest

  std::unique_ptr<OpenedJob> job_;  // after the start
  WorkerSet workers_;
  std::set<std::string> unassigned_;  // that have not answered the newest Assign
  uint64_t assignment_version_ = 0;
  bool uses_stored_plan_ = false;

  std::unique_ptr<EpochInFlight> open_;
  std::unique_ptr<EpochInFlight> next_;  // planned in the commit record that is being written
  std::shared_ptr<const EpochInFlight> committed_;  // of this run, the newest
  Polled polled_;
  Timestamp polled_trigger_{};
  int64_t epoch_time_us_ = 0;  // of the newest plan

  std::optional<std::vector<std::string>> base_snapshots_;  // for a Base with the next plan
  int64_t base_bytes_ = 0;                                  // of the newest Base
  int64_t log_bytes_ = 0;                                   // of the records since

  std::vector<std::pair<std::string, proto::Snapshot>> done_snapshots_;  // by worker, not logged
  std::map<std::string, std::set<std::string>> segments_;  // by worker: files of its last extents
  bool is_collecting_ = false;

  std::string sink_description_;
  std::vector<std::string> source_descriptions_;
  Timestamp previous_trigger_{};
  JobResult result_;
};

}  // namespace tidemill::driver
