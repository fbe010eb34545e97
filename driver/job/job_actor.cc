#include "driver/job/job_actor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/logging.h"
#include "driver/plan/plan_writer.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr size_t kRecentProgress = 100;
constexpr int kLanesPerSlot = 4;

}  // namespace

JobRunner::Actor::Actor(JobDefinition definition, JobEnvironment environment,
                        std::function<void(JobResult)> on_done)
    : definition_(std::move(definition)),
      environment_(std::move(environment)),
      on_done_(std::move(on_done)),
      run_id_(NewUuid(environment_.random)),
      log_strand_(std::make_shared<IoStrand>(environment_.io)),
      source_strand_(std::make_shared<IoStrand>(environment_.io)),
      sink_strand_(std::make_shared<IoStrand>(environment_.io)),
      cleanup_strand_(std::make_shared<IoStrand>(environment_.io)),
      scheduler_(definition_.trigger, definition_.polling_delay),
      workers_(environment_.workers) {}

template <class Work, class Then>
void JobRunner::Actor::RunOn(const std::shared_ptr<IoStrand>& strand, Work work, Then then) {
  strand->Post(
      [self = shared_from_this(), work = std::move(work), then = std::move(then)]() mutable {
        auto result = std::make_shared<decltype(work())>(work());
        self->environment_.executor->Post(
            [self, result, then = std::move(then)] { then(std::move(*result)); });
      });
}

void JobRunner::Actor::CheckFatal(const arrow::Status& status) const {
  if (status.ok() || ErrorClassOf(status) != "FSYNC_FAILED") return;
  if (environment_.on_fatal) return environment_.on_fatal(status);
  std::fprintf(stderr, "%s\n", RenderError(status).c_str());
  ::_exit(static_cast<int>(ErrorKind::kBug));
}

void JobRunner::Actor::Start() {
  const std::weak_ptr<Actor> weak = shared_from_this();
  environment_.executor->Post([self = shared_from_this(), weak] {
    self->workers_.Start(
        self->environment_.executor,
        [weak](const std::string& worker, proto::ToDriver message) {
          if (const auto self = weak.lock()) self->OnMessage(worker, std::move(message));
        },
        [weak](const std::string& worker, const arrow::Status& why) {
          if (const auto self = weak.lock()) self->OnWorkerLost(worker, why);
        });
  });
  auto wake = [weak, executor = environment_.executor] {
    executor->Post([weak] {
      if (const auto self = weak.lock()) self->Feed(event::Woken{});
    });
  };
  RunOn(
      log_strand_,
      [self = shared_from_this(), wake] {
        auto opened = OpenJob(self->definition_, self->environment_, wake);
        if (!opened.ok()) self->CheckFatal(opened.status());
        return opened;
      },
      [self = shared_from_this()](auto opened) { self->OnOpened(std::move(opened)); });
}

void JobRunner::Actor::Stop(StopMode mode) {
  environment_.executor->Post([self = shared_from_this(), mode] {
    self->Feed(event::StopRequested{.is_drain = mode == StopMode::kDrain});
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
  result_.job_uuid = job_->checkpoint->job_uuid();
  result_.last_committed = state.last_committed();
  epoch_time_us_ = state.epoch_time_us();
  sink_description_ = job_->sink->Description();
  for (const auto& source : job_->sources) source_descriptions_.push_back(source->Description());
  if (job_->decision.open_epoch.has_value()) open_ = RecoveredEpoch();
  uses_stored_plan_ = job_->decision.open_has_stored_plan;
  Feed(event::Recovered{.last_committed = state.last_committed(),
                        .last_attempt = state.committed_attempt(),
                        .open_epoch = job_->decision.open_epoch,
                        .open_has_stored_plan = job_->decision.open_has_stored_plan});
  Feed(event::WorkersChanged{workers_.names()});
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
  }
  is_feeding_ = false;
}

void JobRunner::Actor::OnMessage(const std::string& worker, proto::ToDriver message) {
  if (scheduler_.is_finished() || job_ == nullptr) return;
  switch (message.message_case()) {
    case proto::ToDriver::kRegisterWorker:
      return;  // Who is there is what the environment says.
    case proto::ToDriver::kDeployed:
      if (message.deployed().has_error()) {
        Feed(event::Broken{WithContext(ReadError(message.deployed().error()), "deploy the job")});
      }
      return;
    case proto::ToDriver::kAssigned:
      return OnAssigned(worker, message.assigned());
    case proto::ToDriver::kPrepared:
      return OnPrepared(worker, std::move(*message.mutable_prepared()));
    case proto::ToDriver::kFailed: {
      const proto::Failed& failed = message.failed();
      const arrow::Status error = ReadError(failed.error());
      CheckFatal(error);
      if (failed.epoch() < 0) return Feed(event::Broken{error});
      return Feed(event::AttemptFailed{failed.epoch(), failed.attempt(), error});
    }
    case proto::ToDriver::kSnapshotDone:
      done_snapshots_.emplace_back(worker,
                                   std::move(*message.mutable_snapshot_done()->mutable_snapshot()));
      return;
    default:
      break;
  }
  LogWarn("message_unknown").With("worker", worker);
}

void JobRunner::Actor::OnWorkerLost(const std::string& worker, const arrow::Status& why) {
  if (scheduler_.is_finished()) return;
  LogWarn("worker_lost").With("worker", worker).With("why", why.ToString());
  workers_.Remove(worker);
  segments_.erase(worker);
  if (workers_.empty()) {
    return Feed(event::Broken{
        MakeError(ErrorKind::kUnavailable, "NO_WORKERS", "all workers of the job are gone")});
  }
  if (job_ != nullptr) Feed(event::WorkersChanged{workers_.names()});
}

void JobRunner::Actor::OnAssigned(const std::string& worker, const proto::Assigned& message) {
  if (message.version() != assignment_version_) return;
  if (message.has_error()) {
    return Feed(event::Broken{WithContext(ReadError(message.error()), "restore the state")});
  }
  if (message.restored_rows() > 0) {
    LogInfo("state_restored").With("worker", worker).With("rows", message.restored_rows());
  }
  unassigned_.erase(worker);
  if (unassigned_.empty()) Feed(event::AssignmentReady{assignment_version_});
}

void JobRunner::Actor::OnPrepared(const std::string& worker, proto::Prepared message) {
  if (open_ == nullptr || message.epoch() != open_->plan.epoch() ||
      message.attempt() != open_->attempt) {
    return;  // An old attempt's answer.
  }
  const event::Prepared event{worker, message.epoch(), message.attempt()};
  std::set<std::string> files;
  for (const proto::Extent& extent : message.extents()) files.insert("state/" + extent.file());
  if (!files.empty()) segments_[worker] = std::move(files);
  open_->prepared[worker] = std::move(message);
  Feed(event);
}

// Actions.

void JobRunner::Actor::Do(const action::FixSourceEnds&) {
  RunOn(
      source_strand_,
      [self = shared_from_this()]() -> arrow::Status {
        for (const auto& source : self->job_->sources) ARROW_RETURN_NOT_OK(source->FixEnd());
        return arrow::Status::OK();
      },
      [self = shared_from_this()](const arrow::Status& status) {
        if (!status.ok()) self->Feed(event::Broken{status});
      });
}

bool JobRunner::Actor::IsBaseDue() const {
  const int64_t commits = job_->state.commits_since_base() + (open_ != nullptr ? 1 : 0);
  // The second condition keeps the log within a constant factor of what it stands for.
  return commits >= definition_.base_interval && log_bytes_ >= base_bytes_;
}

void JobRunner::Actor::Do(const action::PollSources& action) {
  // Between the input of the open epoch and the next one the sources stand where a Base would.
  const bool wants_snapshots = !base_snapshots_.has_value() && IsBaseDue();
  const auto limit =
      action.everything ? connectors::ReadLimit::kAll : connectors::ReadLimit::kOptions;
  RunOn(
      source_strand_,
      [self = shared_from_this(), wants_snapshots, limit]() -> arrow::Result<Polled> {
        Polled polled{.begin = self->environment_.clock->SteadyNow()};
        if (wants_snapshots) {
          polled.snapshots.emplace();
          for (const auto& source : self->job_->sources) {
            polled.snapshots->push_back(source->Snapshot());
          }
        }
        for (const auto& source : self->job_->sources) {
          ARROW_ASSIGN_OR_RAISE(auto input, source->Next(limit));
          polled.inputs.push_back(std::move(input));
        }
        polled.end = self->environment_.clock->SteadyNow();
        return polled;
      },
      [self = shared_from_this(), trigger = environment_.clock->Now()](auto polled) {
        self->OnPolled(std::move(polled), trigger);
      });
}

void JobRunner::Actor::OnPolled(arrow::Result<Polled> polled, Timestamp trigger) {
  if (!polled.ok()) return Feed(event::PollFailed{polled.status()});
  polled_ = *std::move(polled);
  polled_trigger_ = trigger;
  if (polled_.snapshots.has_value()) base_snapshots_ = std::move(polled_.snapshots);
  const bool has_data = std::any_of(polled_.inputs.begin(), polled_.inputs.end(),
                                    [](const auto& input) { return input.has_data(); });
  Feed(event::InputPolled{.has_data = has_data, .wants_own_write = base_snapshots_.has_value()});
}

std::unique_ptr<EpochInFlight> JobRunner::Actor::PlanNext(int64_t epoch) {
  auto next = std::make_unique<EpochInFlight>();
  next->inputs = std::move(polled_.inputs);
  proto::EpochPlan& plan = next->plan;
  plan.set_epoch(epoch);
  plan.set_plan_fingerprint(job_->plan_fingerprint);
  int most_splits = 1;
  for (const connectors::EpochInput& input : next->inputs) {
    WriteInput(input, plan.add_sources());
    most_splits = std::max(most_splits, static_cast<int>(input.splits.size()));
  }
  plan.set_lanes(std::min(most_splits, kLanesPerSlot * workers_.slots()));
  epoch_time_us_ =
      std::max<int64_t>(epoch_time_us_, environment_.clock->Now().time_since_epoch().count());
  plan.set_epoch_time_us(epoch_time_us_);
  plan.set_seed(environment_.random->Next());
  next->plan_hash = PlanHash(plan);
  next->times = {.trigger = polled_trigger_, .poll_begin = polled_.begin, .poll_end = polled_.end};
  return next;
}

std::unique_ptr<EpochInFlight> JobRunner::Actor::RecoveredEpoch() const {
  auto epoch = std::make_unique<EpochInFlight>();
  epoch->plan = job_->open_plan;
  epoch->plan_hash = job_->state.open_plan_hash();
  for (const proto::SourceInput& input : job_->state.open_plan()->sources()) {
    epoch->inputs.push_back(ReadInput(input));
  }
  epoch->times.trigger = environment_.clock->Now();
  return epoch;
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
      log_strand_,
      [self = shared_from_this(), shared]() -> arrow::Status {
        Failpoint("driver.before_plan_append");
        CommitLog& log = *self->job_->log;
        const arrow::Status status =
            shared->size() > 1 ? log.AppendInNewFile(*shared) : log.Append(shared->front());
        self->CheckFatal(status);
        if (shared->size() > 1) Failpoint("driver.base_written");
        Failpoint("driver.plan_durable");
        return WithContext(status, "log the plan of an epoch");
      },
      [self = shared_from_this(), shared](const arrow::Status& status) {
        self->OnPlanLogged(status, *shared);
      });
}

void JobRunner::Actor::OnPlanLogged(arrow::Status status,
                                    const std::vector<proto::LogRecord>& records) {
  for (const proto::LogRecord& record : records) {
    if (status.ok()) status = job_->state.Apply(record);
    if (record.has_base()) {
      base_bytes_ = static_cast<int64_t>(record.ByteSizeLong());
      log_bytes_ = 0;
    } else {
      log_bytes_ += static_cast<int64_t>(record.ByteSizeLong());
    }
  }
  if (!status.ok()) return Feed(event::Broken{status});
  open_->times.plan_durable = environment_.clock->SteadyNow();
  Feed(event::PlanDurable{open_->plan.epoch()});
  if (records.front().has_base()) CollectGarbage(true);
}

void JobRunner::Actor::SetDeployment(bool with_stored_plan) {
  WorkerSet::Deployment deployment{.job_uuid = job_->checkpoint->job_uuid(),
                                   .term = job_->checkpoint->term().number()};
  proto::Deploy& deploy = deployment.message;
  deploy.set_job(deployment.job_uuid);
  *deploy.mutable_plan() = with_stored_plan ? *job_->stored_plan : *definition_.plan;
  deploy.set_plan_fingerprint(FingerprintOf(deploy.plan()));
  deploy.set_checkpoint(definition_.checkpoint);
  deploy.set_key_groups(definition_.settings.key_groups);
  deploy.set_is_durable(definition_.is_durable);
  deploy.set_job_name(definition_.name);
  deploy.set_snapshot_min_bytes(definition_.snapshot_min_bytes);
  deploy.set_snapshot_ratio(definition_.snapshot_ratio);
  workers_.SetDeployment(std::move(deployment));
}

void JobRunner::Actor::Do(const action::Assign& action) {
  assignment_version_ = action.version;
  if (uses_stored_plan_ && !action.with_stored_plan) return ReplaceSink(action);
  SetDeployment(action.with_stored_plan);
  unassigned_ = action.workers;
  workers_.Assign(action.version, action.workers, job_->state, definition_.settings.key_groups);
}

// The stored plan has done its epoch; what follows goes to the sink of the job's own plan. Workers
// hear of that plan when the sink is open: its recovery removes staged files that it does not know.
void JobRunner::Actor::ReplaceSink(const action::Assign& action) {
  const SinkOpening opening{.job_uuid = job_->checkpoint->job_uuid(),
                            .term = job_->checkpoint->term().number(),
                            .log = FactsOf(job_->state),
                            .plan_fingerprint = job_->plan_fingerprint};
  RunOn(
      sink_strand_,
      [self = shared_from_this(), opening]() -> arrow::Result<std::string> {
        self->job_->sink.reset();  // It may hold the path that the new one wants.
        auto opened =
            OpenSink(self->definition_, self->environment_, opening, *self->definition_.plan);
        if (!opened.ok()) {
          self->CheckFatal(opened.status());
          return opened.status();
        }
        self->job_->sink = std::move(opened->driver);
        return self->job_->sink->Description();
      },
      [self = shared_from_this(), action](const arrow::Result<std::string>& description) {
        if (!description.ok()) return self->Feed(event::Broken{description.status()});
        self->sink_description_ = *description;
        self->uses_stored_plan_ = false;
        const bool is_newest = self->assignment_version_ == action.version;
        if (is_newest && !self->scheduler_.is_finished()) self->Do(action);
      });
}

void JobRunner::Actor::Do(const action::SendRun& action) {
  TIDEMILL_CHECK(open_ != nullptr && open_->plan.epoch() == action.epoch);
  BeginAttempt(action.attempt, environment_.clock->SteadyNow(), open_.get());
  workers_.SendRun(open_->plan, action.attempt, action.committed_epoch, action.committed_attempt);
}

void JobRunner::Actor::Do(const action::SendAbort& action) {
  workers_.SendAbort(action.epoch, action.attempt);
}

void JobRunner::Actor::Do(const action::CommitSinks& action) {
  if (open_->outputs == nullptr) {
    open_->times.prepared = environment_.clock->SteadyNow();
    TakeOutputs(open_.get());
  }
  const connectors::EpochId id{
      .epoch = action.epoch, .term = job_->checkpoint->term().number(), .attempt = action.attempt};
  RunOn(
      sink_strand_,
      [self = shared_from_this(), id, hash = open_->plan_hash,
       outputs = open_->outputs]() -> arrow::Status {
        Failpoint("driver.all_prepared");
        const auto still_mine = [&] { return self->job_->checkpoint->term().CheckNewest().ok(); };
        if (self->job_->sink == nullptr) return arrow::Status::Cancelled("the sink did not open");
        const arrow::Status status = self->job_->sink->Commit(id, hash, *outputs, still_mine);
        self->CheckFatal(status);
        if (status.ok()) Failpoint("driver.sink_committed");
        return WithContext(status, fmt::format("commit epoch {} to the sink", id.epoch));
      },
      [self = shared_from_this(), epoch = action.epoch](const arrow::Status& status) {
        if (!status.ok()) return self->Feed(event::SinksFailed{epoch, status});
        self->open_->times.sinks_committed = self->environment_.clock->SteadyNow();
        self->Feed(event::SinksCommitted{epoch});
      });
}

void JobRunner::Actor::Do(const action::AppendCommit& action) {
  auto record = std::make_shared<proto::LogRecord>();
  proto::CommitRecord& commit = *record->mutable_commit();
  commit = MakeCommit(*open_);
  for (const auto& [worker, snapshot] : done_snapshots_) *commit.add_snapshots() = snapshot;
  if (action.with_next_plan) {
    next_ = PlanNext(action.epoch + 1);
    *commit.mutable_next_plan() = next_->plan;
  }
  open_->times.commit_begin = environment_.clock->SteadyNow();
  RunOn(
      log_strand_,
      [self = shared_from_this(), record]() -> arrow::Status {
        if (record->commit().has_next_plan()) Failpoint("driver.before_plan_append");
        const arrow::Status status = self->job_->log->Append(*record);
        self->CheckFatal(status);
        Failpoint("driver.commit_durable");
        if (record->commit().has_next_plan()) Failpoint("driver.plan_durable");
        return WithContext(status, "log the commit of an epoch");
      },
      [self = shared_from_this(), record](const arrow::Status& status) {
        self->OnCommitLogged(status, *record);
      });
}

void JobRunner::Actor::OnCommitLogged(arrow::Status status, const proto::LogRecord& record) {
  if (status.ok()) status = job_->state.Apply(record);
  if (!status.ok()) return Feed(event::Broken{status});
  const proto::CommitRecord& commit = record.commit();
  log_bytes_ += static_cast<int64_t>(record.ByteSizeLong());
  open_->times.commit_durable = environment_.clock->SteadyNow();
  committed_ = std::move(open_);
  open_ = std::move(next_);
  result_.last_committed = commit.epoch();

  // Snapshots are logged in the order in which they came.
  std::vector<std::pair<std::string, std::string>> logged;
  for (int i = 0; i < commit.snapshots_size(); ++i) {
    logged.emplace_back(done_snapshots_[i].first, done_snapshots_[i].second.id());
  }
  done_snapshots_.erase(done_snapshots_.begin(), done_snapshots_.begin() + commit.snapshots_size());
  Feed(event::CommitDurable{commit.epoch()});
  for (const auto& [worker, id] : logged) workers_.SendSnapshotLogged(worker, id);
  ReportProgress(*committed_);
  if (!logged.empty()) CollectGarbage(false);
}

void JobRunner::Actor::ReportProgress(const EpochInFlight& epoch) {
  EpochProgress progress = MakeProgress(epoch);
  progress.id = result_.job_uuid;
  progress.run_id = run_id_;
  progress.name = definition_.name;
  if (previous_trigger_ != Timestamp{}) {
    progress.seconds_since_previous =
        std::chrono::duration<double>(progress.timestamp - previous_trigger_).count();
  }
  previous_trigger_ = progress.timestamp;
  progress.sink_description = sink_description_;
  progress.shuffle_partitions = workers_.slots();
  for (size_t i = 0; i < progress.sources.size() && i < source_descriptions_.size(); ++i) {
    progress.sources[i].description = source_descriptions_[i];
  }
  result_.epochs++;
  result_.input_rows += progress.input_rows;
  result_.output_rows += progress.output_rows;
  if (environment_.on_progress) environment_.on_progress(progress);
  result_.recent.push_back(std::move(progress));
  if (result_.recent.size() > kRecentProgress) result_.recent.erase(result_.recent.begin());
}

void JobRunner::Actor::Do(const action::TellCommitted& action) {
  workers_.SendCommitted(action.epoch, action.attempt);
}

void JobRunner::Actor::Do(const action::CommitSources&) {
  source_strand_->Post([self = shared_from_this(), epoch = committed_] {
    for (size_t i = 0; i < self->job_->sources.size() && i < epoch->inputs.size(); ++i) {
      const arrow::Status status = self->job_->sources[i]->Commit(epoch->inputs[i]);
      // The epoch is committed; a source that cannot tidy up loses nothing.
      if (!status.ok()) LogWarn("source_commit_failed").With("error", status.ToString());
    }
  });
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

// Garbage.

std::set<std::string> JobRunner::Actor::FilesInUse() const {
  std::set<std::string> files;
  for (const auto& [worker, segments] : segments_) files.insert(segments.begin(), segments.end());
  for (const auto& [worker, snapshot] : done_snapshots_) {
    for (const proto::SnapshotFile& file : snapshot.files()) files.insert("state/" + file.name());
  }
  return files;
}

void JobRunner::Actor::CollectGarbage(bool has_new_base) {
  // While it runs already, the next snapshot or the next start comes back to it.
  if (is_collecting_ || scheduler_.is_finished()) return;
  is_collecting_ = true;
  RunOn(
      log_strand_,
      [self = shared_from_this(), has_new_base,
       files = job_->state.Garbage(FilesInUse())]() mutable -> arrow::Result<proto::LogRecord> {
        proto::LogRecord record;
        if (has_new_base) {
          ARROW_ASSIGN_OR_RAISE(auto log_files,
                                ListLogFiles(self->environment_.fs, self->definition_.checkpoint));
          std::erase(log_files, self->job_->log->file());
          files.insert(files.end(), log_files.begin(), log_files.end());
        }
        if (files.empty()) return record;
        record.mutable_drop()->mutable_files()->Assign(files.begin(), files.end());
        const arrow::Status status = self->job_->log->Append(record);
        self->CheckFatal(status);
        ARROW_RETURN_NOT_OK(status);
        Failpoint("driver.drop_logged");
        return record;
      },
      [self = shared_from_this()](const arrow::Result<proto::LogRecord>& record) {
        self->is_collecting_ = false;
        if (!record.ok()) return self->Feed(event::Broken{record.status()});
        if (!record->has_drop()) return;
        const arrow::Status applied = self->job_->state.Apply(*record);
        if (!applied.ok()) return self->Feed(event::Broken{applied});
        self->cleanup_strand_->Post([self, files = record->drop().files()] {
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
  result_.status = action.status;
  result_.was_stopped = action.was_stopped;
  ++timer_;
  workers_.Close();
  Drain([self = shared_from_this()] { self->Complete(); });
}

void JobRunner::Actor::Drain(std::function<void()> then) {
  // One after the other: what the log strand did may, by way of the actor, post a clean-up.
  const auto nothing = [] { return 0; };
  RunOn(log_strand_, nothing, [self = shared_from_this(), nothing, then = std::move(then)](int) {
    self->RunOn(self->sink_strand_, nothing, [self, nothing, then](int) {
      self->RunOn(self->source_strand_, nothing, [self, nothing, then](int) {
        self->RunOn(self->cleanup_strand_, nothing, [then](int) { then(); });
      });
    });
  });
}

void JobRunner::Actor::Complete() {
  job_.reset();  // Releases the checkpoint.
  auto on_done = std::move(on_done_);
  on_done(std::move(result_));
}

}  // namespace tidemill::driver
