#include "driver/epoch/scheduler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "driver/epoch/term_number.h"

namespace tidemill::driver {

namespace {

constexpr std::chrono::microseconds kFirstDelay{100'000};
constexpr std::chrono::microseconds kLongestDelay{10'000'000};

bool IsRetryable(const arrow::Status& error) { return KindOf(error) == ErrorKind::kUnavailable; }

}  // namespace

EpochScheduler::EpochScheduler(Trigger trigger, std::chrono::microseconds polling_delay)
    : trigger_(trigger), clock_(trigger, polling_delay) {}

std::vector<SchedulerAction> EpochScheduler::Handle(const SchedulerEvent& event, Timestamp now) {
  actions_.clear();
  now_ = std::max(now_, now);
  if (phase_ == Phase::kFinished) return {};
  std::visit([this](const auto& one) { On(one); }, event);
  if (phase_ == Phase::kActive) Advance();
  return std::exchange(actions_, {});
}

void EpochScheduler::On(const event::Recovered& event) {
  TIDEMILL_CHECK(phase_ == Phase::kRecovering);
  phase_ = Phase::kActive;
  term_ = event.term;
  committed_ = event.last_committed;
  committed_attempt_ = event.last_attempt;
  // `once` has no epochs without input, as in Spark.
  wants_no_data_epoch_ = event.wants_epoch && trigger_.kind != TriggerKind::kOnce;
  if (trigger_.kind == TriggerKind::kAvailableNow) Emit(action::FixSourceEnds{});
  if (!event.open_epoch.has_value()) return;
  TIDEMILL_CHECK(*event.open_epoch == committed_ + 1);
  open_ = OpenEpoch{.epoch = *event.open_epoch, .is_plan_durable = true, .began = now_};
  uses_stored_plan_ = event.open_has_stored_plan;
  // As in Spark, `once` runs an uncommitted epoch again and nothing else.
  is_exhausted_ = trigger_.kind == TriggerKind::kOnce;
}

void EpochScheduler::On(const event::WorkersChanged& event) {
  workers_ = event.workers;
  leaving_ = event.leaving;
  const auto has_all = [&](const std::set<std::string>& names) {
    return std::includes(workers_.begin(), workers_.end(), names.begin(), names.end());
  };
  if (open_.has_value() && open_->stage == Stage::kRunning && !has_all(members_)) AbortAttempt();
  // A worker that is gone for a moment only has lost what it had been assigned.
  if (!has_all(assigned_) || Assignable() != assigned_) assignment_ = Assignment::kNone;
}

void EpochScheduler::On(const event::AssignmentReady& event) {
  if (assignment_ != Assignment::kPending || event.version != Number(assignments_)) return;
  assignment_ = Assignment::kReady;
  members_ = event.workers;
  assignment_failures_ = 0;
  assignment_error_ = arrow::Status::OK();
}

void EpochScheduler::On(const event::AssignmentFailed& event) {
  if (assignment_ != Assignment::kPending || event.version != Number(assignments_)) return;
  if (!IsRetryable(event.error)) return End(event.error, false);
  assignment_ = Assignment::kNone;
  assignment_error_ = event.error;
  assignment_not_before_ = BackOff(event.error, ++assignment_failures_);
}

void EpochScheduler::On(const event::InputPolled& event) {
  if (input_ != Input::kPolling) return;
  poll_failures_ = 0;
  poll_error_ = arrow::Status::OK();
  if (event.has_data) {
    input_ = Input::kReady;
    has_empty_input_ = false;
    input_wants_own_write_ = event.wants_own_write;
    if (trigger_.kind == TriggerKind::kOnce) is_exhausted_ = true;
    return;
  }
  input_ = Input::kNone;
  has_empty_input_ = true;
  is_at_end_ = IsBounded();
  if (!open_.has_value()) UseEmptyInput();
  if (input_ == Input::kReady || is_at_end_) return;
  clock_.FoundNothing(now_);
  if (was_woken_) clock_.Wake();
}

void EpochScheduler::UseEmptyInput() {
  if (!has_empty_input_ || input_ != Input::kNone) return;
  if (std::exchange(wants_no_data_epoch_, false)) {
    input_ = Input::kReady;
    input_wants_own_write_ = false;
  } else if (is_at_end_) {
    is_exhausted_ = true;
  }
}

bool EpochScheduler::IsBounded() const {
  return trigger_.kind == TriggerKind::kOnce || trigger_.kind == TriggerKind::kAvailableNow;
}

void EpochScheduler::On(const event::PollFailed& event) {
  if (input_ != Input::kPolling) return;
  if (!IsRetryable(event.error)) return End(event.error, false);
  input_ = Input::kNone;
  poll_error_ = event.error;
  poll_not_before_ = BackOff(event.error, ++poll_failures_);
}

void EpochScheduler::On(const event::PlanDurable& event) {
  if (!open_.has_value() || open_->epoch != event.epoch) return;
  open_->is_plan_durable = true;
  CommitSinksIfPrepared();
}

void EpochScheduler::On(const event::Prepared& event) {
  if (!open_.has_value() || open_->stage != Stage::kRunning || open_->epoch != event.epoch ||
      open_->attempt != event.attempt) {
    return;  // An old attempt's answer.
  }
  open_->unprepared.erase(event.worker);
  CommitSinksIfPrepared();
}

void EpochScheduler::On(const event::AttemptFailed& event) {
  if (KindOf(event.error) == ErrorKind::kSuperseded) return;
  const bool is_open =
      open_.has_value() && open_->epoch == event.epoch && open_->attempt == event.attempt;
  const bool is_last = committed_ == event.epoch && committed_attempt_ == event.attempt;
  if (!is_open && !is_last) return;  // An old attempt's answer.
  if (!IsRetryable(event.error)) return End(event.error, false);
  if (!is_open || open_->stage != Stage::kRunning) return;
  AbortAttempt();
  open_->error = event.error;
  open_->not_before = BackOff(event.error, ++open_->failures);
}

void EpochScheduler::On(const event::SinksCommitted& event) {
  if (!open_.has_value() || open_->stage != Stage::kSinks || open_->epoch != event.epoch) return;
  open_->stage = Stage::kCommit;
  open_->error = arrow::Status::OK();
  open_->with_next_plan =
      input_ == Input::kReady && !input_wants_own_write_ && stop_ == Stop::kNo && !workers_.empty();
  Emit(action::AppendCommit{open_->epoch, open_->attempt, open_->with_next_plan});
}

void EpochScheduler::On(const event::SinksFailed& event) {
  if (!open_.has_value() || open_->stage != Stage::kSinks || open_->epoch != event.epoch) return;
  if (!IsRetryable(event.error)) return End(event.error, false);
  open_->stage = Stage::kSinksWait;
  open_->error = event.error;
  open_->not_before = BackOff(event.error, ++open_->failures);
}

void EpochScheduler::On(const event::CommitDurable& event) {
  if (!open_.has_value() || open_->stage != Stage::kCommit || open_->epoch != event.epoch) return;
  if (const auto took = clock_.FallenBehind(open_->began, now_); took.has_value()) {
    Emit(action::ReportFallingBehind{*took});
  }
  const bool has_next = open_->with_next_plan;
  committed_ = open_->epoch;
  committed_attempt_ = open_->attempt;
  must_tell_commit_ = true;
  must_commit_sources_ = true;
  open_.reset();
  if (has_next) {
    open_ = OpenEpoch{.epoch = committed_ + 1, .is_plan_durable = true, .began = poll_began_};
    input_ = Input::kNone;
    has_empty_input_ = false;
  }
  // What the plan of an epoch with input evicts needs no epoch of its own.
  wants_no_data_epoch_ =
      event.wants_epoch && !open_.has_value() && trigger_.kind != TriggerKind::kOnce;
  // Under processingTime it waits for the trigger, as in Spark.
  if (!open_.has_value() && trigger_.kind != TriggerKind::kProcessingTime) UseEmptyInput();
  if (std::exchange(uses_stored_plan_, false)) assignment_ = Assignment::kNone;
}

void EpochScheduler::On(const event::Broken& event) { End(event.error, false); }

void EpochScheduler::On(const event::Woken&) {
  was_woken_ = true;
  if (input_ != Input::kPolling) clock_.Wake();
}

void EpochScheduler::On(const event::TimerFired&) { armed_.reset(); }

void EpochScheduler::On(const event::StopRequested& event) {
  if (!event.is_drain || phase_ == Phase::kRecovering) return End(arrow::Status::OK(), true);
  stop_ = Stop::kDrain;
}

void EpochScheduler::Advance() {
  if (MayPlan()) {
    open_ = OpenEpoch{.epoch = committed_ + 1, .began = poll_began_};
    input_ = Input::kNone;
    has_empty_input_ = false;
    wants_no_data_epoch_ = false;
    Emit(action::AppendPlan{open_->epoch});
  }
  if (open_.has_value()) AdvanceOpenEpoch();
  if (std::exchange(must_tell_commit_, false)) {
    Emit(action::TellCommitted{committed_, committed_attempt_});
  }
  if (std::exchange(must_commit_sources_, false)) Emit(action::CommitSources{committed_});
  if (IsDone()) return End(arrow::Status::OK(), stop_ == Stop::kDrain);
  AssignIfNeeded();
  ReleaseLeaving();
  if (WantsInput() && now_ >= PollTime()) Poll();
  // After the poll: the sooner its answer, the likelier the next plan shares the commit's write.
  if (std::exchange(must_commit_sinks_, false)) {
    Emit(action::CommitSinks{open_->epoch, open_->attempt});
  }
  ArmTimerIfNeeded();
}

void EpochScheduler::AdvanceOpenEpoch() {
  if (now_ < open_->not_before) return;
  if (open_->stage == Stage::kSinksWait) {
    open_->stage = Stage::kSinks;
    must_commit_sinks_ = true;
  } else if (open_->stage == Stage::kWaiting && assignment_ == Assignment::kReady &&
             stop_ == Stop::kNo) {
    StartAttempt();
  }
}

void EpochScheduler::AssignIfNeeded() {
  if (assignment_ != Assignment::kNone || IsAttemptOut() || now_ < assignment_not_before_) return;
  std::set<std::string> workers = Assignable();
  if (workers.empty()) return;
  assignment_ = Assignment::kPending;
  assigned_ = std::move(workers);
  Emit(action::Assign{Number(++assignments_), assigned_, uses_stored_plan_});
}

void EpochScheduler::ReleaseLeaving() {
  if (leaving_.empty()) return;
  // Nobody can take its key groups over: they are in the checkpoint.
  const bool is_last = Assignable().empty() && !IsAttemptOut();
  for (const std::string& worker : std::set<std::string>(leaving_)) {
    const bool is_replaced = assignment_ == Assignment::kReady && !assigned_.contains(worker);
    if (!is_last && !is_replaced) continue;
    workers_.erase(worker);
    leaving_.erase(worker);
    Emit(action::Release{worker});
  }
}

std::set<std::string> EpochScheduler::Assignable() const {
  std::set<std::string> workers;
  std::set_difference(workers_.begin(), workers_.end(), leaving_.begin(), leaving_.end(),
                      std::inserter(workers, workers.end()));
  return workers;
}

uint64_t EpochScheduler::Number(uint64_t count) const { return NumberInTerm(term_, count); }

EpochScheduler::Condition EpochScheduler::condition() const {
  if (phase_ == Phase::kFinished || stop_ == Stop::kDrain) return Condition::kStopping;
  if (phase_ == Phase::kRecovering) return Condition::kStarting;
  if (Assignable().empty() && !IsAttemptOut()) return Condition::kWaitingForWorkers;
  if (!retried_error().ok()) return Condition::kRetrying;
  return members_.empty() ? Condition::kStarting : Condition::kRunning;
}

const arrow::Status& EpochScheduler::retried_error() const {
  if (!assignment_error_.ok()) return assignment_error_;
  return open_.has_value() && !open_->error.ok() ? open_->error : poll_error_;
}

bool EpochScheduler::WantsInput() const {
  if (stop_ != Stop::kNo || is_exhausted_ || input_ != Input::kNone) return false;
  if (is_at_end_ && has_empty_input_) return false;
  // Not before an open epoch is prepared: what arrives meanwhile belongs into the next epoch too.
  return !open_.has_value() || open_->stage == Stage::kSinks || open_->stage == Stage::kCommit;
}

Timestamp EpochScheduler::PollTime() const { return std::max(clock_.due(), poll_not_before_); }

bool EpochScheduler::MayPlan() const {
  return !open_.has_value() && input_ == Input::kReady && stop_ == Stop::kNo && !workers_.empty();
}

bool EpochScheduler::IsAttemptOut() const {
  return open_.has_value() && open_->stage != Stage::kWaiting;
}

bool EpochScheduler::IsDone() const {
  if (IsAttemptOut()) return false;
  if (stop_ == Stop::kDrain) return true;
  return is_exhausted_ && !open_.has_value() && input_ == Input::kNone;
}

void EpochScheduler::Poll() {
  input_ = Input::kPolling;
  was_woken_ = false;
  poll_began_ = now_;
  clock_.Started(now_);
  Emit(action::PollSources{trigger_.kind == TriggerKind::kOnce});
}

void EpochScheduler::StartAttempt() {
  open_->stage = Stage::kRunning;
  open_->attempt = Number(++open_->attempts);
  open_->unprepared = members_;
  must_tell_commit_ = false;  // RunEpoch tells it.
  Emit(action::SendRun{open_->epoch, open_->attempt, committed_, committed_attempt_});
}

void EpochScheduler::CommitSinksIfPrepared() {
  if (open_->stage != Stage::kRunning || !open_->unprepared.empty() || !open_->is_plan_durable) {
    return;
  }
  open_->stage = Stage::kSinks;
  open_->failures = 0;
  open_->error = arrow::Status::OK();
  must_commit_sinks_ = true;
}

void EpochScheduler::AbortAttempt() {
  open_->stage = Stage::kWaiting;
  Emit(action::SendAbort{open_->epoch, open_->attempt});
}

Timestamp EpochScheduler::BackOff(const arrow::Status& error, int failures) {
  const auto delay = std::min(kLongestDelay, kFirstDelay * (1 << std::min(failures - 1, 10)));
  Emit(action::ReportRetry{error, delay});
  return now_ + delay;
}

void EpochScheduler::ArmTimerIfNeeded() {
  Timestamp wanted = Timestamp::max();
  if (WantsInput()) wanted = std::min(wanted, PollTime());
  if (assignment_ == Assignment::kNone && !IsAttemptOut() && !Assignable().empty()) {
    wanted = std::min(wanted, assignment_not_before_);
  }
  const bool may_back_off =
      open_.has_value() && (open_->stage == Stage::kWaiting || open_->stage == Stage::kSinksWait);
  if (may_back_off && open_->not_before > now_) wanted = std::min(wanted, open_->not_before);
  if (wanted <= now_ || wanted == Timestamp::max()) return;
  if (armed_.has_value() && *armed_ <= wanted) return;
  armed_ = wanted;
  Emit(action::ArmTimer{wanted});
}

void EpochScheduler::End(arrow::Status status, bool was_stopped) {
  if (open_.has_value() && open_->stage == Stage::kRunning) AbortAttempt();
  phase_ = Phase::kFinished;
  Emit(action::Finish{std::move(status), was_stopped});
}

}  // namespace tidemill::driver
