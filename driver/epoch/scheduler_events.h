#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "common/base/clock.h"

namespace tidemill::driver {

// What happens to a job, as the scheduler hears of it.
namespace event {
// The log is read, the sink recovered. `open_epoch` is planned but not committed.
struct Recovered {
  uint64_t term = 0;  // of the checkpoint: attempts and versions are numbered within it
  int64_t last_committed = -1;
  uint64_t last_attempt = 0;
  std::optional<int64_t> open_epoch;
  bool open_has_stored_plan = false;  // it was planned by another query than the job's
  bool wants_epoch = false;           // as of the last commit's CommitDurable
};
// These workers, and no others, are there. Those that are leaving take part in the attempt that is
// out and are not assigned anything again. One that was lost and has come back meanwhile is first
// left out of one of these events.
struct WorkersChanged {
  std::set<std::string> workers;
  std::set<std::string> leaving;  // of `workers`
};
// All workers of the Assign with this version have restored what they own.
struct AssignmentReady {
  uint64_t version = 0;
  std::set<std::string> workers;  // that have slots in it
};
struct AssignmentFailed {
  uint64_t version = 0;
  arrow::Status error;
};
struct InputPolled {
  bool has_data = false;
  bool wants_own_write = false;  // the plan cannot share the write of the commit before it
};
struct PollFailed {
  arrow::Status error;
};
struct PlanDurable {
  int64_t epoch = 0;
};
struct Prepared {
  std::string worker;
  int64_t epoch = 0;
  uint64_t attempt = 0;
};
// An attempt went wrong: while it ran, or, in what follows it (a snapshot), after it was prepared.
struct AttemptFailed {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  arrow::Status error;
};
struct SinksCommitted {
  int64_t epoch = 0;
};
struct SinksFailed {
  int64_t epoch = 0;
  arrow::Status error;
};
struct CommitDurable {
  int64_t epoch = 0;
  // An epoch is due even without input: the watermark has reached state that must be evicted.
  bool wants_epoch = false;
};
// Something that no retry mends: the log, a fsync.
struct Broken {
  arrow::Status error;
};
struct Woken {};  // a source noticed new data
struct TimerFired {};
struct StopRequested {
  bool is_drain = true;
};
}  // namespace event

using SchedulerEvent =
    std::variant<event::Recovered, event::WorkersChanged, event::AssignmentReady,
                 event::AssignmentFailed, event::InputPolled, event::PollFailed, event::PlanDurable,
                 event::Prepared, event::AttemptFailed, event::SinksCommitted, event::SinksFailed,
                 event::CommitDurable, event::Broken, event::Woken, event::TimerFired,
                 event::StopRequested>;

// What the scheduler wants done. Actions of one event are begun in the order given; each is
// answered by the event named.
namespace action {
// Fixes the sources' ends for available-now. Errors: Broken.
struct FixSourceEnds {
  bool operator==(const FixSourceEnds&) const = default;
};
// Asks the sources for the next epoch's input. InputPolled or PollFailed.
struct PollSources {
  bool everything = false;  // ReadLimit::All()
  bool operator==(const PollSources&) const = default;
};
// Appends Plan(epoch) of the input polled last. PlanDurable.
struct AppendPlan {
  int64_t epoch = 0;
  bool operator==(const AppendPlan&) const = default;
};
// Deploys where necessary and assigns everything to `workers` or some of them, restored at the last
// commit. Replaces an Assign that is not ready yet. AssignmentReady or AssignmentFailed.
struct Assign {
  uint64_t version = 0;
  std::set<std::string> workers;
  bool with_stored_plan = false;  // the open epoch's, not the job's own
  bool operator==(const Assign&) const = default;
};
// Nothing needs this worker any more, which is leaving. WorkersChanged without it.
struct Release {
  std::string worker;
  bool operator==(const Release&) const = default;
};
// RunEpoch to every assigned worker. Prepared from each, or AttemptFailed.
struct SendRun {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  int64_t committed_epoch = -1;
  uint64_t committed_attempt = 0;
  bool operator==(const SendRun&) const = default;
};
struct SendAbort {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  bool operator==(const SendAbort&) const = default;
};
// Everything is prepared and the plan durable. SinksCommitted or SinksFailed.
struct CommitSinks {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  bool operator==(const CommitSinks&) const = default;
};
// Appends Commit(epoch), and in the same write Plan(epoch + 1) of the input polled last.
// CommitDurable.
struct AppendCommit {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  bool with_next_plan = false;
  bool operator==(const AppendCommit&) const = default;
};
// Tells the workers of a commit that no RunEpoch tells at once.
struct TellCommitted {
  int64_t epoch = 0;
  uint64_t attempt = 0;
  bool operator==(const TellCommitted&) const = default;
};
// Tells the sources that they need not keep the epoch's input any longer.
struct CommitSources {
  int64_t epoch = 0;
  bool operator==(const CommitSources&) const = default;
};
struct ReportFallingBehind {
  std::chrono::microseconds took{0};
  bool operator==(const ReportFallingBehind&) const = default;
};
struct ReportRetry {
  arrow::Status error;
  std::chrono::microseconds delay{0};
  bool operator==(const ReportRetry& other) const { return delay == other.delay; }
};
// TimerFired at this time or later; the newest ArmTimer replaces the others.
struct ArmTimer {
  Timestamp at{};
  bool operator==(const ArmTimer&) const = default;
};
// The last action of a job. Not OK: the job failed.
struct Finish {
  arrow::Status status;
  bool was_stopped = false;
  bool operator==(const Finish& other) const {
    return status.ok() == other.status.ok() && was_stopped == other.was_stopped;
  }
};
}  // namespace action

using SchedulerAction =
    std::variant<action::FixSourceEnds, action::PollSources, action::AppendPlan, action::Assign,
                 action::Release, action::SendRun, action::SendAbort, action::CommitSinks,
                 action::AppendCommit, action::TellCommitted, action::CommitSources,
                 action::ReportFallingBehind, action::ReportRetry, action::ArmTimer,
                 action::Finish>;

}  // namespace tidemill::driver
