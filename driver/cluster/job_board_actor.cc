#include "driver/cluster/job_board_actor.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "driver/cluster/job_fencing.h"
#include "driver/cluster/job_registration.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr std::chrono::milliseconds kTermCheck{500};
constexpr std::chrono::seconds kStopAnswer{15};  // a stop that takes longer is answered before it
constexpr size_t kEndedJobsKept = 1000;
// Longer than the back-off of a worker that looks for its driver.
constexpr std::chrono::milliseconds kSettle{300};

arrow::Status Stopping() {
  return MakeError(ErrorKind::kUnavailable, "DRIVER_STOPPING", "the driver is stopping");
}

}  // namespace

std::vector<JobRecordPtr> JobBoard::Impl::JobsInOrder() const {
  std::vector<JobRecordPtr> jobs;
  jobs.reserve(jobs_.size());
  for (const auto& [id, job] : jobs_) jobs.push_back(job);
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
    return std::tuple(a->info().submitted_us(), a->registered.index()) <
           std::tuple(b->info().submitted_us(), b->registered.index());
  });
  return jobs;
}

JobRecordPtr JobBoard::Impl::MakeRecord(proto::RegisteredJob registered) const {
  auto job = std::make_shared<JobRecord>();
  job->registered = std::move(registered);
  job->store = std::make_shared<IoStrand>(options_.io);
  return job;
}

arrow::Status JobBoard::Impl::Resume() {
  ARROW_ASSIGN_OR_RAISE(auto registered, LoadRegisteredJobs(options_.root));
  for (proto::RegisteredJob& one : registered) {
    const JobRecordPtr job = MakeRecord(std::move(one));
    job->is_accepted = true;
    jobs_[job->info().id()] = job;
    SubmissionPtr& submission = submissions_[job->registered.request().idempotency_key()];
    if (submission == nullptr) submission = std::make_shared<Submission>();
    submission->is_decided = true;
    submission->jobs.push_back(job);
    ARROW_RETURN_NOT_OK(ResumeOne(job));
  }
  for (auto& [key, submission] : submissions_) {
    std::sort(submission->jobs.begin(), submission->jobs.end(), [](const auto& a, const auto& b) {
      return a->registered.index() < b->registered.index();
    });
  }
  Post([](Impl* impl) { impl->WatchTerm(); });
  return arrow::Status::OK();
}

arrow::Status JobBoard::Impl::ResumeOne(const JobRecordPtr& job) {
  job->is_ended = HasEnded(job->info().state());
  if (job->is_ended) return arrow::Status::OK();
  arrow::Status error;
  if (job->info().state() != proto::JobInfo::STOPPING) {
    auto planned = PlanRegistered({options_.fs, options_.random, options_.root}, job->registered);
    if (planned.ok()) {
      job->OnResumed(std::move(planned->spec));
      ++running_;
      LogInfo("job_resumed").With("job", job->info().id()).With("name", job->info().name());
      Post([job, definition = std::move(planned->definition)](Impl* impl) {
        impl->Start(job, definition);
      });
      return arrow::Status::OK();
    }
    error = planned.status();
    LogWarn("job_not_resumed").With("job", job->info().id()).With("why", error.ToString());
  }
  // A user stopped it and the old driver did not get to the end of it, or it cannot be planned.
  *job->mutable_info() =
      job->OutcomeOf({.status = error, .was_stopped = true}, error, options_.clock->Now());
  job->is_ended = true;
  return options_.root->StoreJob(job->registered);
}

// Submissions.

void JobBoard::Impl::Submit(proto::SubmitRequest request, Reply<proto::SubmitReply> done) {
  if (is_shutting_down_) return done(Stopping());
  if (request.idempotency_key().empty()) request.set_idempotency_key(NewUuid(options_.random));
  const std::string key = request.idempotency_key();
  SubmissionPtr& submission = submissions_[key];
  if (submission != nullptr && submission->is_decided) return done(ReplyOf(*submission));
  const bool is_first = submission == nullptr;
  if (is_first) submission = std::make_shared<Submission>();
  submission->waiting.push_back(std::move(done));
  if (!is_first) return;
  const auto shared = std::make_shared<const proto::SubmitRequest>(std::move(request));
  RunOnIo(
      [shared, context = PlanningContext{options_.fs, options_.random, options_.root}] {
        return PlanSubmission(context, *shared);
      },
      [self = shared_from_this(), shared, key](auto planned) {
        self->OnPlanned(key, *shared, std::move(planned));
      });
}

void JobBoard::Impl::OnPlanned(const std::string& key, const proto::SubmitRequest& request,
                               arrow::Result<std::vector<PlannedSubmission>> planned) {
  if (!planned.ok()) return Decide(key, planned.status());
  if (is_shutting_down_) return Decide(key, Stopping());
  if (arrow::Status free = CheckFree(*planned); !free.ok()) return Decide(key, free);
  const SubmissionPtr submission = submissions_.at(key);
  std::vector<JobRecordPtr> replaced;
  std::vector<proto::RegisteredJob> files;
  for (const PlannedSubmission& one : *planned) {
    proto::RegisteredJob registered;
    registered.set_id(one.definition.job_uuid);
    *registered.mutable_request() = request;
    registered.set_index(static_cast<int>(files.size()));
    proto::JobInfo* info = registered.mutable_info();
    info->set_id(one.definition.job_uuid);
    info->set_name(one.spec.name);
    info->set_state(proto::JobInfo::STARTING);
    info->set_submitted_us(MicrosOf(options_.clock->Now()));
    info->set_last_committed(-1);
    info->set_checkpoint(one.definition.checkpoint);
    files.push_back(registered);
    const JobRecordPtr job = MakeRecord(std::move(registered));
    job->spec = one.spec;
    if (request.will_follow()) job->followers->HoldForFirst();
    submission->jobs.push_back(job);
    submission->warnings.insert(submission->warnings.end(), one.warnings.begin(),
                                one.warnings.end());
    replaced.push_back(std::exchange(jobs_[job->info().id()], job));
  }
  RunOnIo([root = options_.root, files = std::move(files)] { return RegisterJobs(root, files); },
          [self = shared_from_this(), key, replaced = std::move(replaced),
           jobs = *std::move(planned)](const arrow::Status& status) mutable {
            self->OnRegistered(key, replaced, std::move(jobs), status);
          });
}

arrow::Status JobBoard::Impl::CheckFree(const std::vector<PlannedSubmission>& planned) const {
  const auto in_use = [](const PlannedSubmission& one, const std::string& holder) {
    return MakeError(ErrorKind::kConflict, "CHECKPOINT_IN_USE",
                     fmt::format("another job runs on this checkpoint: path={} job={}",
                                 one.definition.checkpoint, holder));
  };
  for (size_t i = 0; i < planned.size(); ++i) {
    const PlannedSubmission& one = planned[i];
    for (const auto& [id, job] : jobs_) {
      if (job->is_ended) continue;
      if (job->info().name() == one.spec.name) {
        return WithHint(MakeError(ErrorKind::kConflict, "JOB_EXISTS",
                                  fmt::format("a job of this name is active: name={} job={}",
                                              one.spec.name, id)),
                        "stop that job, or give this one another name");
      }
      if (id == one.definition.job_uuid || job->info().checkpoint() == one.definition.checkpoint) {
        return in_use(one, job->info().name());
      }
    }
    for (size_t other = 0; other < i; ++other) {
      if (planned[other].definition.checkpoint == one.definition.checkpoint) {
        return in_use(one, planned[other].spec.name);
      }
    }
  }
  return arrow::Status::OK();
}

void JobBoard::Impl::OnRegistered(const std::string& key, const std::vector<JobRecordPtr>& replaced,
                                  std::vector<PlannedSubmission> planned,
                                  const arrow::Status& status) {
  const std::vector<JobRecordPtr> jobs = submissions_.at(key)->jobs;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const std::string id = jobs[i]->info().id();
    if (!status.ok()) {
      if (replaced[i] != nullptr) {
        jobs_[id] = replaced[i];
      } else {
        jobs_.erase(id);
      }
      continue;
    }
    if (replaced[i] != nullptr) ForgetSubmissionOf(replaced[i]);
    jobs[i]->is_accepted = true;
    LogInfo("job_submitted").With("job", id).With("name", jobs[i]->info().name());
    ++running_;
    Start(jobs[i], std::move(planned[i].definition));
  }
  Decide(key, status);
  (void)IsFatal(status);  // It has told whom it concerns.
}

void JobBoard::Impl::Decide(const std::string& key, const arrow::Status& status) {
  const SubmissionPtr submission = submissions_.at(key);
  submission->is_decided = true;
  if (!status.ok()) submissions_.erase(key);
  for (const auto& done : std::exchange(submission->waiting, {})) {
    if (status.ok()) {
      done(ReplyOf(*submission));
    } else {
      done(status);
    }
  }
}

proto::SubmitReply JobBoard::Impl::ReplyOf(const Submission& submission) {
  proto::SubmitReply reply;
  for (const JobRecordPtr& job : submission.jobs) *reply.add_jobs() = job->info();
  for (const std::string& warning : submission.warnings) reply.add_warnings(warning);
  return reply;
}

void JobBoard::Impl::ForgetSubmissionOf(const JobRecordPtr& job) {
  const auto found = submissions_.find(job->registered.request().idempotency_key());
  if (found == submissions_.end()) return;
  std::vector<JobRecordPtr>& jobs = found->second->jobs;
  const bool is_known = std::any_of(jobs.begin(), jobs.end(), [this](const JobRecordPtr& one) {
    const auto current = jobs_.find(one->info().id());
    return current != jobs_.end() && current->second == one;
  });
  if (!is_known) submissions_.erase(found);
}

// Questions.

std::vector<proto::JobInfo> JobBoard::Impl::ListJobs() const {
  std::vector<proto::JobInfo> infos;
  for (const JobRecordPtr& job : JobsInOrder()) {
    if (job->is_accepted) infos.push_back(job->info());
  }
  std::reverse(infos.begin(), infos.end());
  return infos;
}

void JobBoard::Impl::GetJob(const std::string& text, Reply<proto::GetJobReply> done) {
  const auto job = FindJob(JobsInOrder(), text);
  if (!job.ok()) return done(job.status());
  // A hundred of them are too much text for the executor of the control streams.
  options_.io->Post([info = (*job)->info(), recent = (*job)->recent, done = std::move(done)] {
    proto::GetJobReply reply;
    *reply.mutable_info() = info;
    for (const EpochProgress& progress : recent) reply.add_recent_progress(ProgressJson(progress));
    done(std::move(reply));
  });
}

std::vector<proto::WorkerInfo> JobBoard::Impl::ListWorkers() const {
  return options_.registry->Describe();
}

void JobBoard::Impl::Follow(const std::string& text, std::shared_ptr<const Follower> follower) {
  const auto job = FindJob(JobsInOrder(), text);
  if (!job.ok()) return follower->done(job.status());
  (*job)->followers->Add(follower);
  if (!(*job)->is_ended) return;
  (*job)->followers->Remove(follower);
  follower->done((*job)->info());
}

void JobBoard::Impl::Unfollow(const std::shared_ptr<const Follower>& follower) {
  for (const auto& [id, job] : jobs_) job->followers->Remove(follower);
}

// Lives.

JobEnvironment JobBoard::Impl::EnvironmentOf(const JobRecordPtr& job) {
  JobEnvironment environment{
      .fs = options_.fs,
      .clock = options_.clock,
      .random = options_.random,
      .executor = job->executor.get(),
      .io = options_.io,
      .waits_for_workers = true,
      .holder = options_.root->holder(),
      .outranks = [root =
                       options_.root](std::string_view holder) { return root->Outranks(holder); },
      .check_driver = [root = options_.root] { return root->CheckNewest(); },
      .on_fatal = options_.on_fatal,
      .make_source = options_.make_source,
      .make_sink = options_.make_sink};
  for (const std::string& worker : options_.registry->AliveWorkers()) {
    WorkerLink link = options_.registry->OpenJobStream(worker, job->info().id());
    if (link.stream != nullptr) environment.workers.push_back(std::move(link));
  }
  environment.print = [followers = job->followers, print = options_.print](std::string_view text) {
    const std::string unread = followers->Print(text);
    if (!unread.empty() && print) print(unread);
  };
  // The job's record owns the runner and so these.
  const std::weak_ptr<Impl> weak = weak_from_this();
  const std::weak_ptr<JobRecord> weak_job = job;
  Executor* const executor = options_.executor;
  environment.on_phase = [=](JobPhase phase, const arrow::Status& error) {
    executor->Post([=] {
      const auto job = weak_job.lock();
      if (job != nullptr && !job->is_ended) job->OnPhase(phase, error);
    });
  };
  environment.on_slots = [=](int slots) {
    executor->Post([=] {
      const auto job = weak_job.lock();
      if (job != nullptr && !job->is_ended) job->mutable_info()->set_slots(slots);
    });
  };
  environment.on_restores = [=](const std::vector<RestoreProgress>& restores) {
    executor->Post([=] {
      const auto job = weak_job.lock();
      if (job != nullptr && !job->is_ended) job->OnRestores(restores);
    });
  };
  environment.on_progress = [=](const EpochProgress& progress) {
    executor->Post([=] {
      const auto self = weak.lock();
      const auto job = weak_job.lock();
      if (self == nullptr || job == nullptr || job->is_ended) return;
      job->OnProgress(progress, self->options_.clock->Now());
      if (self->options_.on_progress) self->options_.on_progress(progress);
    });
  };
  return environment;
}

void JobBoard::Impl::Start(const JobRecordPtr& job, JobDefinition definition) {
  job->executor = options_.make_executor(definition.name);
  JobEnvironment environment = EnvironmentOf(job);
  if (job->is_resumed) environment.settle = kSettle;
  const std::weak_ptr<Impl> weak = weak_from_this();
  const std::weak_ptr<JobRecord> weak_job = job;
  job->runner = JobRunner::Start(std::move(definition), std::move(environment),
                                 [weak, weak_job, executor = options_.executor](JobResult result) {
                                   executor->Post([weak, weak_job, result = std::move(result)] {
                                     const auto self = weak.lock();
                                     const auto job = weak_job.lock();
                                     if (self != nullptr && job != nullptr)
                                       self->OnDone(job, result);
                                   });
                                 });
  if (is_shutting_down_ && !job->stop_mode.has_value()) job->stop_mode = StopMode::kHandOver;
  if (job->stop_mode.has_value()) job->runner->Stop(*job->stop_mode);
}

void JobBoard::Impl::StopRunner(const JobRecordPtr& job, StopMode mode) {
  if (job->stop_mode == StopMode::kNow || job->stop_mode == mode) return;
  job->stop_mode = mode;
  if (job->runner != nullptr) job->runner->Stop(mode);
}

void JobBoard::Impl::StopJob(const std::string& text, bool now, Reply<proto::JobInfo> done) {
  const auto found = FindJob(JobsInOrder(), text);
  if (!found.ok()) return done(found.status());
  const JobRecordPtr& job = *found;
  if (job->is_ended) return done(job->info());
  auto waiter = std::make_shared<Reply<proto::JobInfo>>(std::move(done));
  job->stop_waiters.push_back(waiter);
  options_.executor->PostAfter(kStopAnswer, [waiter, weak_job = std::weak_ptr<JobRecord>(job)] {
    const auto job = weak_job.lock();
    if (job == nullptr || *waiter == nullptr) return;
    std::exchange(*waiter, nullptr)(job->info());
  });
  if (!std::exchange(job->is_user_stop, true)) {
    LogInfo("job_stopping").With("job", job->info().id()).With("now", now);
    job->mutable_info()->set_state(proto::JobInfo::STOPPING);
    Store(job, job->info(), [] {});  // The next driver must not start it again.
  }
  StopRunner(job, now ? StopMode::kNow : StopMode::kDrain);
}

void JobBoard::Impl::OnDone(const JobRecordPtr& job, const JobResult& result) {
  job->runner.reset();
  retired_.push_back(job->executor);
  options_.io->Post([executor = std::exchange(job->executor, nullptr)] { executor->Stop(); });
  if (ErrorClassOf(result.status) == "FSYNC_FAILED" && IsFatal(result.status)) return;
  if (is_shutting_down_ && !job->is_user_stop && result.status.ok() && result.was_stopped) {
    return OnIdle();  // Registered as running, for the next driver.
  }
  const arrow::Status error = LocateInQuery(job->spec, result.status);
  const proto::JobInfo outcome = job->OutcomeOf(result, error, options_.clock->Now());
  if (result.status.ok() || KindOf(result.status) != ErrorKind::kFenced) {
    return Finish(job, outcome);
  }
  OnFenced(job, outcome);
}

void JobBoard::Impl::OnFenced(const JobRecordPtr& job, const proto::JobInfo& outcome) {
  RunOnIo([root = options_.root, fs = options_.fs,
           checkpoint = job->info().checkpoint()] { return MayTakeBack(*root, fs, checkpoint); },
          [self = shared_from_this(), job, outcome](const arrow::Result<bool>& may_take_back) {
            if (self->IsFatal(may_take_back.status())) return;
            if (!may_take_back.ok()) {
              LogWarn("term_not_checked").With("why", may_take_back.status().ToString());
              self->options_.executor->PostAfter(kTermCheck,
                                                 [weak = self->weak_from_this(), job, outcome] {
                                                   if (const auto self = weak.lock())
                                                     self->OnFenced(job, outcome);
                                                 });
            } else if (*may_take_back) {
              self->StartAgain(job);
            } else {
              self->Finish(job, outcome);
            }
          });
}

void JobBoard::Impl::StartAgain(const JobRecordPtr& job) {
  LogWarn("job_starts_again")
      .With("job", job->info().id())
      .With("why", "an older driver of the cluster had taken its checkpoint");
  RunOnIo([context = PlanningContext{options_.fs, options_.random, options_.root},
           registered = job->registered] { return PlanRegistered(context, registered); },
          [self = shared_from_this(), job](arrow::Result<PlannedSubmission> planned) {
            if (planned.ok()) {
              job->OnResumed(std::move(planned->spec));
              return self->Start(job, std::move(planned->definition));
            }
            const arrow::Status error = planned.status();
            self->Finish(job,
                         job->OutcomeOf({.status = error}, error, self->options_.clock->Now()));
          });
}

void JobBoard::Impl::Finish(const JobRecordPtr& job, const proto::JobInfo& outcome) {
  Store(job, outcome, [self = shared_from_this(), job, outcome] { self->OnEnded(job, outcome); });
}

void JobBoard::Impl::Store(const JobRecordPtr& job, const proto::JobInfo& info,
                           std::function<void()> then) {
  proto::RegisteredJob file = job->registered;
  *file.mutable_info() = info;
  job->store->Post([self = shared_from_this(), file = std::move(file), then = std::move(then)] {
    const arrow::Status stored = self->options_.root->StoreJob(file);
    self->options_.executor->Post([self, stored, then, id = file.id()] {
      if (self->IsFatal(stored)) return;
      if (!stored.ok()) LogError("job_not_stored").With("job", id).With("why", stored.ToString());
      then();
    });
  });
}

void JobBoard::Impl::OnEnded(const JobRecordPtr& job, const proto::JobInfo& outcome) {
  *job->mutable_info() = outcome;
  job->is_ended = true;
  LogLine(outcome.state() == proto::JobInfo::FAILED ? LogLevel::kError : LogLevel::kInfo,
          "job_ended")
      .With("job", outcome.id())
      .With("name", outcome.name())
      .With("state", proto::JobInfo::State_Name(outcome.state()))
      .With("error", outcome.error().message());
  for (const auto& waiter : std::exchange(job->stop_waiters, {})) {
    if (*waiter != nullptr) std::exchange(*waiter, nullptr)(outcome);
  }
  for (const auto& follower : job->followers->TakeAll()) follower->done(outcome);
  ForgetOldest();
  OnIdle();
}

void JobBoard::Impl::ForgetOldest() {
  std::vector<JobRecordPtr> ended = JobsInOrder();
  std::erase_if(ended, [](const JobRecordPtr& job) { return !job->is_ended; });
  if (ended.size() <= kEndedJobsKept) return;
  const JobRecordPtr oldest = ended.front();
  jobs_.erase(oldest->info().id());
  ForgetSubmissionOf(oldest);
  oldest->store->Post([root = options_.root, id = oldest->info().id()] {
    const arrow::Status removed = root->RemoveJob(id);
    if (!removed.ok()) LogWarn("job_file_left").With("job", id).With("why", removed.ToString());
  });
}

void JobBoard::Impl::OnIdle() {
  --running_;
  if (running_ > 0) return;
  for (const auto& done : std::exchange(shutdown_waiters_, {})) done();
}

void JobBoard::Impl::Shutdown(std::function<void()> done) {
  // The workers keep what they have for the driver that comes after this one.
  const StopMode mode = is_shutting_down_ ? StopMode::kNow : StopMode::kHandOver;
  is_shutting_down_ = true;
  LogInfo("driver_stopping").With("jobs", running_);
  if (running_ == 0) return done();
  shutdown_waiters_.push_back(std::move(done));
  for (const auto& [id, job] : jobs_) {
    if (!job->is_ended) StopRunner(job, mode);
  }
}

void JobBoard::Impl::OnWorkerJoined(const std::string& worker) {
  for (const auto& [id, job] : jobs_) {
    if (job->runner == nullptr) continue;
    WorkerLink link = options_.registry->OpenJobStream(worker, id);
    if (link.stream != nullptr) job->runner->AddWorker(std::move(link));
  }
}

void JobBoard::Impl::OnWorkerLeaving(const std::string& worker) {
  for (const auto& [id, job] : jobs_) {
    if (job->runner != nullptr) job->runner->ReleaseWorker(worker);
  }
}

void JobBoard::Impl::Abandon() {
  for (const auto& [id, job] : jobs_) {
    if (job->executor != nullptr) job->executor->Stop();
  }
  for (const auto& executor : retired_) executor->Stop();
  for (const auto& [id, job] : jobs_) job->runner.reset();
  submissions_.clear();
  jobs_.clear();
}

// The driver's own right to go on.

void JobBoard::Impl::WatchTerm() {
  RunOnIo([root = options_.root] { return root->CheckNewest(); },
          [self = shared_from_this()](const arrow::Status& status) {
            if (self->IsFatal(status)) return;
            if (!status.ok()) LogWarn("term_not_checked").With("why", status.ToString());
            self->options_.executor->PostAfter(kTermCheck, [weak = self->weak_from_this()] {
              if (const auto self = weak.lock()) self->WatchTerm();
            });
          });
}

bool JobBoard::Impl::IsFatal(const arrow::Status& status) const {
  if (status.ok()) return false;
  if (KindOf(status) != ErrorKind::kFenced && ErrorClassOf(status) != "FSYNC_FAILED") return false;
  LogError("driver_ends").With("why", status.ToString());
  if (options_.on_fatal) options_.on_fatal(status);
  return true;
}

}  // namespace tidemill::driver
