#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "driver/epoch/scheduler_events.h"
#include "driver/epoch/trigger_clock.h"
#include "driver/spec/job_spec.h"

namespace tidemill::driver {

// Decides what one job does next: epochs in order, one at a time, each a Plan record, attempts
// until all workers have prepared it, the sinks' commit, a Commit record. A state machine without
// I/O, threads or clock: the caller feeds events with their time and carries the actions out.
//
// The rules that make epochs exactly-once stand here:
// - RunEpoch may go out while its plan is being made durable; sinks commit only when every assigned
//   worker has prepared the newest attempt and the plan is durable;
// - a planned epoch is never planned again: attempts repeat it until it is committed;
// - an attempt that a lost worker or a retryable error broke is aborted everywhere and run again
//   under a new number; any other error aborts the epoch and ends the job, which leaves the epoch
//   open in the log;
// - a worker that joins or leaves is taken into account between attempts: it gets or gives its key
//   groups then, by a new assignment, and one that leaves is released when that is ready;
// - whether an epoch without input is due follows from the commit and the plan before it alone.
// *Thread-compatible.*
class EpochScheduler {
 public:
  EpochScheduler(Trigger trigger, std::chrono::microseconds polling_delay);

  // Nothing but the event's time may differ between two runs with equal events.
  std::vector<SchedulerAction> Handle(const SchedulerEvent& event, Timestamp now);

  // What the job is about, for people; the error is that of kRetrying.
  enum class Condition { kStarting, kWaitingForWorkers, kRunning, kRetrying, kStopping };
  Condition condition() const;
  const arrow::Status& retried_error() const;

  int64_t last_committed() const { return committed_; }
  bool is_finished() const { return phase_ == Phase::kFinished; }

 private:
  enum class Phase { kRecovering, kActive, kFinished };
  enum class Stage {
    kWaiting,    // planned; for workers, or for the end of a back-off
    kRunning,    // an attempt is out
    kSinks,      // prepared everywhere, sinks commit
    kSinksWait,  // a sink did not answer; back-off
    kCommit,     // the commit record is being written
  };
  struct OpenEpoch {
    int64_t epoch = 0;
    bool is_plan_durable = false;
    Stage stage = Stage::kWaiting;
    uint64_t attempt = 0;   // number of the newest; 0 before the first
    uint64_t attempts = 0;  // count
    std::set<std::string> unprepared;
    bool with_next_plan = false;  // kCommit: the write holds the next plan as well
    Timestamp began = Timestamp::min();
    Timestamp not_before = Timestamp::min();  // back-off
    int failures = 0;
    arrow::Status error;  // the last one, until the step succeeds
  };
  enum class Input { kNone, kPolling, kReady };
  enum class Assignment { kNone, kPending, kReady };
  enum class Stop { kNo, kDrain };

  void On(const event::Recovered& event);
  void On(const event::WorkersChanged& event);
  void On(const event::AssignmentReady& event);
  void On(const event::AssignmentFailed& event);
  void On(const event::InputPolled& event);
  void On(const event::PollFailed& event);
  void On(const event::PlanDurable& event);
  void On(const event::Prepared& event);
  void On(const event::AttemptFailed& event);
  void On(const event::SinksCommitted& event);
  void On(const event::SinksFailed& event);
  void On(const event::CommitDurable& event);
  void On(const event::Broken& event);
  void On(const event::Woken& event);
  void On(const event::TimerFired& event);
  void On(const event::StopRequested& event);

  // Begins whatever has become possible.
  void Advance();
  void AdvanceOpenEpoch();
  void AssignIfNeeded();
  // Lets workers go that want to and that nothing needs.
  void ReleaseLeaving();
  bool WantsInput() const;  // as soon as the clock allows
  Timestamp PollTime() const;
  bool MayPlan() const;
  bool IsAttemptOut() const;
  bool IsDone() const;
  std::set<std::string> Assignable() const;
  uint64_t Number(uint64_t count) const;  // in this term
  // Plans an epoch without input where one is due, or ends a bounded job.
  void UseEmptyInput();
  bool IsBounded() const;
  void Poll();
  void StartAttempt();
  void CommitSinksIfPrepared();
  // Undoes the attempt that is out; the epoch waits for another.
  void AbortAttempt();
  // When the `failures`-th failure in a row may be followed by another try.
  Timestamp BackOff(const arrow::Status& error, int failures);
  void ArmTimerIfNeeded();
  void End(arrow::Status status, bool was_stopped);
  template <class Action>
  void Emit(Action action) {
    actions_.emplace_back(std::move(action));
  }

  const Trigger trigger_;
  TriggerClock clock_;

  Phase phase_ = Phase::kRecovering;
  uint64_t term_ = 0;
  Stop stop_ = Stop::kNo;
  int64_t committed_ = -1;
  uint64_t committed_attempt_ = 0;
  bool must_tell_commit_ = false;  // the workers do not know of it yet
  bool must_commit_sources_ = false;
  bool must_commit_sinks_ = false;
  std::optional<OpenEpoch> open_;
  bool uses_stored_plan_ = false;  // until the open epoch is committed
  bool is_exhausted_ = false;      // once, available-now: nothing more will be polled

  Input input_ = Input::kNone;
  bool input_wants_own_write_ = false;
  bool has_empty_input_ = false;      // the newest poll found nothing, and no plan has taken it
  bool wants_no_data_epoch_ = false;  // an epoch is due even without input
  bool is_at_end_ = false;            // once, available-now: the sources have nothing more
  bool was_woken_ = false;            // while polling
  Timestamp poll_began_ = Timestamp::min();
  Timestamp poll_not_before_ = Timestamp::min();
  int poll_failures_ = 0;
  arrow::Status poll_error_;

  std::set<std::string> workers_;  // that are there
  std::set<std::string> leaving_;  // of these
  // kNone: there is none, or the next attempt needs another one.
  Assignment assignment_ = Assignment::kNone;
  std::set<std::string> assigned_;  // by the newest Assign
  std::set<std::string> members_;   // of the newest one that is ready: workers with slots
  uint64_t assignments_ = 0;        // count of Assigns, the newest version
  int assignment_failures_ = 0;
  arrow::Status assignment_error_;
  Timestamp assignment_not_before_ = Timestamp::min();

  Timestamp now_ = Timestamp::min();
  std::optional<Timestamp> armed_;
  std::vector<SchedulerAction> actions_;
};

}  // namespace tidemill::driver
