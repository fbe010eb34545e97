#include "driver/job/job_actor.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/logging.h"
#include "driver/epoch/term_number.h"
#include "driver/plan/stages/plan_writer.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr std::string_view kFsyncFailed = "FSYNC_FAILED";

JobPhase PhaseOf(EpochScheduler::Condition condition) {
  switch (condition) {
    case EpochScheduler::Condition::kStarting:
      return JobPhase::kStarting;
    case EpochScheduler::Condition::kWaitingForWorkers:
      return JobPhase::kWaitingForWorkers;
    case EpochScheduler::Condition::kRunning:
      return JobPhase::kRunning;
    case EpochScheduler::Condition::kRetrying:
      return JobPhase::kRetrying;
    case EpochScheduler::Condition::kStopping:
      break;
  }
  return JobPhase::kStopping;
}

}  // namespace

JobRunner::Actor::Actor(JobDefinition definition, JobEnvironment environment,
                        std::function<void(JobResult)> on_done)
    : definition_(std::move(definition)),
      environment_(std::move(environment)),
      on_done_(std::move(on_done)),
      log_strand_(std::make_shared<IoStrand>(environment_.io)),
      source_strand_(std::make_shared<IoStrand>(environment_.io)),
      sink_strand_(std::make_shared<IoStrand>(environment_.io)),
      cleanup_strand_(std::make_shared<IoStrand>(environment_.io)),
      scheduler_(definition_.trigger, definition_.polling_delay),
      sizer_(definition_.target_duration),
      reporter_(definition_.name, NewUuid(environment_.random), environment_.on_progress),
      workers_(definition_.settings.key_groups, definition_.max_slots) {}

template <class Work, class Then>
void JobRunner::Actor::RunOn(const std::shared_ptr<IoStrand>& strand, Work work, Then then) {
  RunOnStrand(
      strand, environment_.executor,
      [self = shared_from_this(), work = std::move(work)]() mutable { return work(); },
      [self = shared_from_this(), then = std::move(then)](auto result) {
        then(std::move(result));
      });
}

void JobRunner::Actor::CheckFatal(const arrow::Status& status) const {
  if (status.ok() || ErrorClassOf(status) != kFsyncFailed) return;
  if (environment_.on_fatal) return environment_.on_fatal(status);
  std::fprintf(stderr, "%s\n", RenderError(status).c_str());
  ::_exit(static_cast<int>(ErrorKind::kBug));
}

void JobRunner::Actor::Start() {
  const std::weak_ptr<Actor> weak = shared_from_this();
  WorkerSet::Handlers handlers{.on_message =
                                   [weak](const std::string& worker, proto::ToDriver message) {
                                     if (const auto self = weak.lock())
                                       self->OnMessage(worker, std::move(message));
                                   },
                               .on_lost =
                                   [weak](const std::string& worker, const arrow::Status& why) {
                                     if (const auto self = weak.lock())
                                       self->OnWorkerLost(worker, why);
                                   }};
  environment_.executor->Post([self = shared_from_this(), handlers] {
    self->workers_.Start(self->environment_.executor, handlers);
    for (const WorkerLink& link : self->environment_.workers) self->OnAdded(link);
  });
  auto wake = [weak, executor = environment_.executor] {
    executor->Post([weak] {
      if (const auto self = weak.lock()) self->Feed(event::Woken{});
    });
  };
  RunOn(
      log_strand_,
      [this, wake] {
        auto opened = OpenJob(definition_, environment_, wake);
        if (!opened.ok()) CheckFatal(opened.status());
        return opened;
      },
      [this](auto opened) { OnOpened(std::move(opened)); });
}

void JobRunner::Actor::Stop(StopMode mode) {
  environment_.executor->Post([self = shared_from_this(), mode] {
    self->hands_over_ = mode == StopMode::kHandOver;
    self->Feed(event::StopRequested{.is_drain = mode != StopMode::kNow});
  });
}

void JobRunner::Actor::AddWorker(WorkerLink link) {
  environment_.executor->Post(
      [self = shared_from_this(), link = std::move(link)] { self->OnAdded(link); });
}

void JobRunner::Actor::ReleaseWorker(const std::string& name) {
  environment_.executor->Post([self = shared_from_this(), name] {
    if (self->scheduler_.is_finished() || !self->workers_.Contains(name)) return;
    if (self->job_ == nullptr) {
      self->workers_.Release(name);
    } else {
      self->workers_.SetLeaving(name);
    }
    self->FeedWorkers();
  });
}

void JobRunner::Actor::Abandon() {
  for (const auto& strand : {log_strand_, source_strand_, sink_strand_, cleanup_strand_}) {
    strand->Drop();
  }
}

void JobRunner::Actor::OnOpened(arrow::Result<std::unique_ptr<OpenedJob>> opened) {
  if (!opened.ok()) return Feed(event::Broken{opened.status()});
  job_ = *std::move(opened);
  if (scheduler_.is_finished()) return;
  const LogState& state = job_->state;
  const CheckpointDir& checkpoint = *job_->checkpoint;
  const RecoveryDecision decision = job_->sink.decision;
  const auto check = [this](const arrow::Status& status) { CheckFatal(status); };
  growth_ = job_->growth;
  shared_files_.push_back({"checkpoint", checkpoint.term().path(), checkpoint.term().checksum()});
  log_ = std::make_unique<JobLog>(std::move(job_->log), environment_.fs, definition_.checkpoint,
                                  check);
  sources_ = std::make_unique<JobSources>(std::move(job_->sources), environment_.clock);
  sink_ = std::make_unique<JobSink>(&definition_, &environment_, checkpoint.term(),
                                    std::move(job_->sink), check);
  planner_.emplace(environment_.clock, environment_.random, definition_, *job_);
  reporter_.Opened(checkpoint.job_uuid(), state.last_committed(), sources_->Descriptions(),
                   sink_->Description());
  if (decision.open_epoch.has_value()) open_ = planner_->Recover(*job_);
  uses_stored_plan_ = decision.open_has_stored_plan;
  Feed(event::Recovered{.term = checkpoint.term().number(),
                        .last_committed = state.last_committed(),
                        .last_attempt = state.committed_attempt(),
                        .open_epoch = decision.open_epoch,
                        .open_has_stored_plan = decision.open_has_stored_plan,
                        .wants_epoch = state.watermarks().wants_epoch()});
  if (environment_.settle.count() == 0 || state.last_committed() < 0) return Settle();
  environment_.executor->PostAfter(environment_.settle,
                                   [self = shared_from_this()] { self->Settle(); });
}

void JobRunner::Actor::Feed(SchedulerEvent event) {
  events_.push_back(std::move(event));
  if (is_feeding_) return;
  is_feeding_ = true;
  while (!events_.empty()) {
    const SchedulerEvent next = std::move(events_.front());
    events_.pop_front();
    for (const SchedulerAction& action : scheduler_.Handle(next, environment_.clock->Now())) {
      std::visit([this](const auto& one) { Do(one); }, action);
    }
    ReportPhase();
  }
  is_feeding_ = false;
}

void JobRunner::Actor::ReportPhase() {
  const JobPhase phase = PhaseOf(scheduler_.condition());
  const arrow::Status error =
      phase == JobPhase::kRetrying ? scheduler_.retried_error() : arrow::Status::OK();
  std::string text = error.ToString();
  if (phase == phase_ && (phase != JobPhase::kRetrying || text == phase_error_)) return;
  phase_ = phase;
  phase_error_ = std::move(text);
  if (environment_.on_phase) environment_.on_phase(phase, error);
}

void JobRunner::Actor::OnMessage(const std::string& worker, proto::ToDriver message) {
  if (scheduler_.is_finished() || job_ == nullptr) return;
  switch (message.message_case()) {
    case proto::ToDriver::kRegisterWorker:
      return;  // Who is there is what the environment says.
    case proto::ToDriver::kDeployed:
      if (message.deployed().has_error()) {
        OnNotDeployed(worker, ReadError(message.deployed().error()));
      }
      return;
    case proto::ToDriver::kAssigned:
      return OnAssigned(worker, message.assigned());
    case proto::ToDriver::kRestoring:
      return OnRestoring(worker, message.restoring());
    case proto::ToDriver::kWarmedUp:
      return OnWarmedUp(worker, message.warmed_up());
    case proto::ToDriver::kPrepared:
      return OnPrepared(worker, std::move(*message.mutable_prepared()));
    case proto::ToDriver::kFailed:
      return OnFailed(message.failed());
    case proto::ToDriver::kSnapshotDone:
      return files_.AddSnapshot(worker,
                                std::move(*message.mutable_snapshot_done()->mutable_snapshot()));
    default:
      break;
  }
  LogWarn("message_unknown").With("worker", worker);
}

void JobRunner::Actor::OnPrepared(const std::string& worker, proto::Prepared message) {
  if (open_ == nullptr || message.epoch() != open_->plan.epoch() ||
      message.attempt() != open_->attempt) {
    return;  // An old attempt's answer.
  }
  const event::Prepared event{worker, message.epoch(), message.attempt()};
  files_.NoteExtents(worker, message.extents());
  open_->prepared[worker] = std::move(message);
  Feed(event);
}

void JobRunner::Actor::OnFailed(const proto::Failed& message) {
  const arrow::Status error = ReadError(message.error());
  // Whatever attempt it was: what the worker has reported since may not be on its disk.
  if (message.epoch() < 0 || ErrorClassOf(error) == kFsyncFailed) {
    return Feed(event::Broken{error});
  }
  Feed(event::AttemptFailed{message.epoch(), message.attempt(), error});
}

void JobRunner::Actor::Do(const action::SendRun& action) {
  TIDEMILL_CHECK(open_ != nullptr && open_->plan.epoch() == action.epoch);
  BeginAttempt(action.attempt, environment_.clock->SteadyNow(), open_.get());
  workers_.SendRun(open_->plan, action.attempt, action.committed_epoch, action.committed_attempt);
}

void JobRunner::Actor::Do(const action::SendAbort& action) {
  workers_.SendAbort(action.epoch, action.attempt);
}

void JobRunner::Actor::Do(const action::TellCommitted& action) {
  workers_.SendCommitted(action.epoch, action.attempt);
}

// Sources and plans.

void JobRunner::Actor::Do(const action::FixSourceEnds&) {
  RunOn(
      source_strand_, [this] { return sources_->FixEnds(); },
      [this](const arrow::Status& status) {
        if (!status.ok()) Feed(event::Broken{status});
      });
}

bool JobRunner::Actor::IsBaseDue() const {
  const int64_t commits = job_->state.commits_since_base() + (open_ != nullptr ? 1 : 0);
  return growth_.IsBaseDue(commits, definition_.base_interval, definition_.base_bytes);
}

void JobRunner::Actor::Do(const action::PollSources& action) {
  // Between the input of the open epoch and the next one the sources stand where a Base would.
  const bool wants_snapshots = !base_snapshots_.has_value() && IsBaseDue();
  auto limit = connectors::ReadLimit::All();
  if (!action.everything) limit = {.bytes = sizer_.budget()};
  limit.splits = std::max(workers_.slots(), 1);
  RunOn(
      source_strand_,
      [this, wants_snapshots, limit] { return sources_->Poll(limit, wants_snapshots); },
      [this](arrow::Result<PolledInput> polled) { OnPolled(std::move(polled)); });
}

void JobRunner::Actor::NoteSize(const EpochInFlight& epoch) {
  std::chrono::microseconds compute{};
  for (const auto& [worker, message] : epoch.prepared) {
    compute = std::max(compute, std::chrono::microseconds(message.compute_us()));
  }
  const auto whole = epoch.times.commit_durable - epoch.times.run_sent;
  sizer_.OnCommitted(epoch.LargestInputBytes(),
                     std::chrono::duration_cast<std::chrono::microseconds>(whole), compute);
}

void JobRunner::Actor::OnPolled(arrow::Result<PolledInput> polled) {
  if (!polled.ok()) return Feed(event::PollFailed{polled.status()});
  polled_ = *std::move(polled);
  if (polled_.snapshots.has_value()) base_snapshots_ = std::exchange(polled_.snapshots, {});
  Feed(event::InputPolled{.has_data = polled_.has_data(),
                          .wants_own_write = base_snapshots_.has_value()});
}

std::unique_ptr<EpochInFlight> JobRunner::Actor::PlanNext(int64_t epoch) {
  return planner_->Plan(epoch, std::move(polled_), workers_.slots());
}

void JobRunner::Actor::Do(const action::AppendPlan& action) {
  open_ = PlanNext(action.epoch);
  open_->times.plan_begin = environment_.clock->SteadyNow();
  std::vector<proto::LogRecord> records;
  if (base_snapshots_.has_value()) {
    *records.emplace_back().mutable_base() =
        job_->state.MakeBase(*std::exchange(base_snapshots_, std::nullopt));
  }
  *records.emplace_back().mutable_plan()->mutable_plan() = open_->plan;
  auto shared = std::make_shared<const std::vector<proto::LogRecord>>(std::move(records));
  RunOn(
      log_strand_, [this, shared] { return log_->AppendPlan(*shared); },
      [this, shared](const arrow::Status& status) { OnPlanLogged(status, *shared); });
}

void JobRunner::Actor::OnPlanLogged(arrow::Status status,
                                    const std::vector<proto::LogRecord>& records) {
  for (const proto::LogRecord& record : records) {
    if (status.ok()) status = job_->state.Apply(record);
    growth_.Note(record);
  }
  if (!status.ok()) return Feed(event::Broken{status});
  open_->times.plan_durable = environment_.clock->SteadyNow();
  Feed(event::PlanDurable{open_->plan.epoch()});
  if (records.front().has_base()) CollectGarbage(true);
}

void JobRunner::Actor::Do(const action::CommitSources&) {
  source_strand_->Post(
      [self = shared_from_this(), epoch = committed_] { self->sources_->Commit(epoch->inputs); });
}

// Sinks and commits.

// The stored plan has done its epoch; what follows goes to the sink of the job's own plan. Workers
// hear of that plan when the sink is open: its recovery removes staged files that it does not know.
void JobRunner::Actor::ReplaceSink() {
  if (std::exchange(is_replacing_sink_, true)) return;  // The newest Assign follows it.
  const SinkOpening opening{.job_uuid = job_->checkpoint->job_uuid(),
                            .term = job_->checkpoint->term().number(),
                            .log = FactsOf(job_->state),
                            .plan_fingerprint = job_->plan_fingerprint};
  RunOn(
      sink_strand_, [this, opening] { return sink_->Replace(opening); },
      [this](const arrow::Status& replaced) {
        if (!replaced.ok()) return Feed(event::Broken{replaced});
        is_replacing_sink_ = false;
        uses_stored_plan_ = false;
        reporter_.SinkReplaced(sink_->Description());
        if (!scheduler_.is_finished()) SendAssign();
      });
}

void JobRunner::Actor::Do(const action::CommitSinks& action) {
  workers_.NotePrepared();
  if (open_->outputs == nullptr) {
    open_->times.prepared = environment_.clock->SteadyNow();
    TakeOutputs(open_.get());
  }
  const connectors::EpochId id{
      .epoch = action.epoch, .term = job_->checkpoint->term().number(), .attempt = action.attempt};
  RunOn(
      sink_strand_,
      [this, id, hash = open_->plan_hash, outputs = open_->outputs] {
        return sink_->Commit(id, hash, *outputs);
      },
      [this, epoch = action.epoch](const arrow::Status& status) {
        if (!status.ok()) return Feed(event::SinksFailed{epoch, status});
        open_->times.sinks_committed = environment_.clock->SteadyNow();
        Feed(event::SinksCommitted{epoch});
      });
}

void JobRunner::Actor::Do(const action::AppendCommit& action) {
  auto record = std::make_shared<proto::LogRecord>();
  proto::CommitRecord& commit = *record->mutable_commit();
  commit = MakeCommit(*open_);
  files_.NameSnapshots(&commit);
  *commit.mutable_watermarks() = planner_->Finish(*open_);
  if (action.with_next_plan) {
    next_ = PlanNext(action.epoch + 1);
    *commit.mutable_next_plan() = next_->plan;
  }
  open_->times.commit_begin = environment_.clock->SteadyNow();
  RunOn(
      log_strand_, [this, record] { return log_->AppendCommit(*record); },
      [this, record](const arrow::Status& status) { OnCommitLogged(status, *record); });
}

void JobRunner::Actor::OnCommitLogged(arrow::Status status, const proto::LogRecord& record) {
  if (status.ok()) status = job_->state.Apply(record);
  if (!status.ok()) return Feed(event::Broken{status});
  const proto::CommitRecord& commit = record.commit();
  growth_.Note(record);
  open_->times.commit_durable = environment_.clock->SteadyNow();
  NoteSize(*open_);
  committed_ = std::move(open_);
  open_ = std::move(next_);
  const auto epoch = committed_;
  const int slots = workers_.slots();
  const auto named = files_.TakeNamed(commit);
  Feed(event::CommitDurable{
      commit.epoch(), commit.watermarks().wants_epoch()});  // First of all: workers wait for it.
  for (const auto& [worker, id] : named) workers_.SendSnapshotLogged(worker, id);
  reporter_.Committed(*epoch, slots, job_->state.state_bytes());
  if (!named.empty()) CollectGarbage(false);
}

void JobRunner::Actor::Do(const action::ReportFallingBehind& action) {
  LogWarn("trigger_falling_behind")
      .With("interval_ms", definition_.trigger.interval.count() / 1000)
      .With("took_ms", action.took.count() / 1000);
}

void JobRunner::Actor::Do(const action::ReportRetry& action) {
  LogWarn("retrying")
      .With("error", action.error.ToString())
      .With("delay_ms", action.delay.count() / 1000);
}

void JobRunner::Actor::Do(const action::ArmTimer& action) {
  const auto delay = action.at - environment_.clock->Now();
  environment_.executor->PostAfter(std::max(delay, decltype(delay)::zero()),
                                   [self = shared_from_this(), timer = ++timer_] {
                                     if (timer == self->timer_) self->Feed(event::TimerFired{});
                                   });
}

void JobRunner::Actor::CollectGarbage(bool has_new_base) {
  // While it runs already, the next snapshot or the next start comes back to it.
  if (is_collecting_ || scheduler_.is_finished()) return;
  is_collecting_ = true;
  RunOn(
      log_strand_,
      [this, has_new_base, files = job_->state.Garbage(files_.InUse(open_.get()))] {
        return log_->AppendDrop(files, has_new_base);
      },
      [this](const arrow::Result<std::optional<proto::LogRecord>>& record) {
        is_collecting_ = false;
        if (!record.ok()) return Feed(event::Broken{record.status()});
        if (!record->has_value()) return;
        const arrow::Status applied = job_->state.Apply(**record);
        if (!applied.ok()) return Feed(event::Broken{applied});
        cleanup_strand_->Post([self = shared_from_this(), files = (*record)->drop().files()] {
          for (const std::string& file : files) {
            const arrow::Status removed =
                self->environment_.fs->Remove(JoinPath(self->definition_.checkpoint, file));
            // The next start tries again.
            if (!removed.ok()) LogWarn("remove_failed").With("error", removed.ToString());
          }
        });
      });
}

// The end.

void JobRunner::Actor::Do(const action::Finish& action) {
  ++timer_;
  workers_.Close(/*keeps=*/hands_over_ && action.status.ok());
  Drain([this, action] {
    auto result = reporter_.Finish(action.status, action.was_stopped);
    sink_.reset();
    sources_.reset();
    log_.reset();
    job_.reset();  // Releases the checkpoint.
    auto on_done = std::move(on_done_);
    on_done(std::move(result));
  });
}

void JobRunner::Actor::Drain(std::function<void()> then) {
  // One after the other: what the log strand did may, by way of the actor, post a clean-up.
  const auto nothing = [] { return 0; };
  RunOn(log_strand_, nothing, [this, nothing, then = std::move(then)](int) {
    RunOn(sink_strand_, nothing, [this, nothing, then](int) {
      RunOn(source_strand_, nothing, [this, nothing, then](int) {
        RunOn(cleanup_strand_, nothing, [then](int) { then(); });
      });
    });
  });
}

}  // namespace tidemill::driver
