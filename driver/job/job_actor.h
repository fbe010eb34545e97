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

#include "driver/epoch/epoch_sizer.h"
#include "driver/epoch/scheduler.h"
#include "driver/job/epoch_in_flight.h"
#include "driver/job/epoch_planner.h"
#include "driver/job/io_strand.h"
#include "driver/job/job_log.h"
#include "driver/job/job_runner.h"
#include "driver/job/job_sink.h"
#include "driver/job/job_sources.h"
#include "driver/job/job_start.h"
#include "driver/job/members/membership.h"
#include "driver/job/members/worker_set.h"
#include "driver/job/progress_reporter.h"
#include "driver/job/state_files.h"

namespace tidemill::driver {

// Carries out what the scheduler decides. Everything runs on environment.executor but the bodies
// posted to the strands, which hand their results back as posts. The log belongs to the log strand,
// the sources to the source strand and the sink to the sink strand; the rest to the actor.
// *Thread-compatible.*
class JobRunner::Actor : public std::enable_shared_from_this<JobRunner::Actor> {
 public:
  Actor(JobDefinition definition, JobEnvironment environment,
        std::function<void(JobResult)> on_done);

  // From any thread.
  void Start();
  void Stop(StopMode mode);
  void AddWorker(WorkerLink link);
  void ReleaseWorker(const std::string& name);
  void Abandon();  // when the executors have stopped

 private:
  // Feeds the scheduler and carries its actions out; events that come meanwhile follow after.
  void Feed(SchedulerEvent event);
  // The job is open and the workers that it may count on are there.
  void Settle();
  void FeedWorkers();
  void UpdateMembers();
  // Tells the scheduler who is there, or has them warmed up first.
  void ShowWorkers();
  bool CanWarmUp() const;
  // False where nobody has anything to read.
  bool SendWarmUp();
  void ReportPhase();
  void Do(const action::FixSourceEnds& action);
  void Do(const action::PollSources& action);
  void Do(const action::AppendPlan& action);
  void Do(const action::Assign& action);
  void Do(const action::Release& action);
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
  void OnAdded(WorkerLink link);
  void OnWorkerLost(const std::string& worker, const arrow::Status& why);
  void OnMessage(const std::string& worker, proto::ToDriver message);
  void OnNotDeployed(const std::string& worker, const arrow::Status& error);
  void OnAssigned(const std::string& worker, const proto::Assigned& message);
  void OnAssignmentFailed(const arrow::Status& error);
  void OnRestoring(const std::string& worker, const proto::Restoring& message);
  void ForgetRestore(const std::string& worker);
  void ReportRestores() const;
  void OnWarmedUp(const std::string& worker, const proto::WarmedUp& message);
  void OnPrepared(const std::string& worker, proto::Prepared message);
  void OnFailed(const proto::Failed& message);
  void NoteSize(const EpochInFlight& epoch);
  void OnPolled(arrow::Result<PolledInput> polled);
  void OnPlanLogged(arrow::Status status, const std::vector<proto::LogRecord>& records);
  void OnCommitLogged(arrow::Status status, const proto::LogRecord& record);

  // Makes the in-flight epoch of what was polled last.
  std::unique_ptr<EpochInFlight> PlanNext(int64_t epoch);
  bool IsBaseDue() const;
  void ReplaceSink();
  void SendAssign();
  void SetDeployment(bool with_stored_plan);
  // Logs what nobody needs any more as dropped, then deletes it.
  void CollectGarbage(bool has_new_base);

  // Ends the process where an fsync failed: nothing in memory is known to be on disk. From any
  // thread.
  void CheckFatal(const arrow::Status& status) const;
  // Runs `work` on the strand and `then` with its result on the actor. Both may use `this`.
  template <class Work, class Then>
  void RunOn(const std::shared_ptr<IoStrand>& strand, Work work, Then then);
  // Calls `then` on the actor once all that was posted to the strands has run.
  void Drain(std::function<void()> then);

  const JobDefinition definition_;
  const JobEnvironment environment_;
  std::function<void(JobResult)> on_done_;
  const std::shared_ptr<IoStrand> log_strand_;
  const std::shared_ptr<IoStrand> source_strand_;
  const std::shared_ptr<IoStrand> sink_strand_;
  const std::shared_ptr<IoStrand> cleanup_strand_;

  EpochScheduler scheduler_;
  std::deque<SchedulerEvent> events_;
  bool is_feeding_ = false;
  uint64_t timer_ = 0;  // the newest
  JobPhase phase_ = JobPhase::kStarting;
  std::string phase_error_;  // as text

  // After the start; log, sources and sink have been taken out.
  std::unique_ptr<OpenedJob> job_;
  std::unique_ptr<JobLog> log_;          // log strand
  std::unique_ptr<JobSources> sources_;  // source strand
  std::unique_ptr<JobSink> sink_;        // sink strand
  std::optional<EpochPlanner> planner_;
  std::vector<SharedFileProof> shared_files_;
  LogGrowth growth_;
  StateFiles files_;
  bool is_collecting_ = false;
  EpochSizer sizer_;
  ProgressReporter reporter_;

  bool is_settled_ = false;
  WorkerSet workers_;
  Membership membership_;
  std::map<std::string, RestoreProgress> restores_;  // under way, by worker
  action::Assign assignment_;                        // the newest
  std::set<std::string> members_;                    // that have slots in it
  std::set<std::string> unassigned_;                 // that have not answered it
  bool uses_stored_plan_ = false;
  bool is_replacing_sink_ = false;
  bool hands_over_ = false;  // workers keep what they have

  std::unique_ptr<EpochInFlight> open_;
  std::unique_ptr<EpochInFlight> next_;  // planned in the commit record that is being written
  std::shared_ptr<const EpochInFlight> committed_;  // of this run, the newest
  PolledInput polled_;
  std::optional<std::vector<std::string>> base_snapshots_;  // for a Base with the next plan
};

}  // namespace tidemill::driver
