#include "worker/worker.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "proto/control.pb.h"
#include "worker/job_on_worker.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

namespace {

using OnFatal = std::function<void(const arrow::Status&)>;

// Ends the process after a failed fsync.
void CheckFatal(const OnFatal& on_fatal, const arrow::Status& status) {
  if (status.ok() || ErrorClassOf(status) != "FSYNC_FAILED") return;
  if (on_fatal) return on_fatal(status);
  std::fprintf(stderr, "%s\n", RenderError(status).c_str());
  ::_exit(static_cast<int>(ErrorKind::kBug));
}

}  // namespace

// Everything that happens on the worker's thread; shared with callbacks that may outlive the
// Worker.
class Worker::Actor final : public SlotListener,
                            public std::enable_shared_from_this<Worker::Actor> {
 public:
  Actor(WorkerOptions options, WorkerEnvironment environment)
      : options_(std::move(options)),
        environment_(std::move(environment)),
        incarnation_(options_.incarnation.empty() ? NewUuid(environment_.random)
                                                  : options_.incarnation),
        memory_(options_.memory_bytes) {}

  void Start();
  void Stop();
  void Serve(std::shared_ptr<DriverStream> stream);

  std::vector<proto::JobReport> Report();
  void Connect(std::shared_ptr<DriverStream> stream);
  void Disconnect();
  void HandleConnected(const proto::ToWorker& message);
  void Leave() { is_leaving_ = true; }
  void Keep(std::function<void()> done);
  void OnAttemptBroken(const AttemptId& attempt, const arrow::Status& why);

  const WorkerOptions& options() const { return options_; }
  const std::string& incarnation() const { return incarnation_; }

  void OnComputed(int slot, SlotReport report) override;
  void OnStaged(int slot, const AttemptId& id,
                arrow::Result<connectors::StagedOutput> staged) override;
  void OnFailed(int slot, const AttemptId& id, const arrow::Status& error) override;
  void OnCaptured(int slot, const std::string& job, uint64_t capture,
                  std::unique_ptr<state::FlushBatch> batch) override;
  void OnEvicted(int slot, const std::string& job, const EvictionReport& report) override;

 private:
  using Stream = std::shared_ptr<DriverStream>;
  struct Entry {
    std::shared_ptr<JobOnWorker> job;
    uint64_t term = 0;         // highest seen: messages of older ones are a zombie's
    bool is_reported = false;  // to the driver that may connect
  };

  void Handle(const Stream& stream, const proto::ToWorker& message);
  // What needs the job to be there, and to belong to the stream.
  void HandleForJob(const std::string& name, const Stream& stream, const proto::ToWorker& message);
  void Deploy(const Stream& stream, const proto::Deploy& message, uint64_t term);
  void SendDeployed(const Stream& stream, const std::string& job, const arrow::Status& status);
  void Remove(const std::string& job);
  JobOnWorker::Environment JobEnvironment(const std::string& job);
  // Takes what the last incarnation has left.
  void FindKept();
  // Runs `body` with the job, on the worker's thread; nothing where it is gone.
  void PostTo(const std::string& job, std::function<void(JobOnWorker*)> body);
  JobOnWorker* Find(const std::string& job);

  const WorkerOptions options_;
  const WorkerEnvironment environment_;
  const std::string incarnation_;
  std::vector<std::shared_ptr<Slot>> slots_;

  // The worker's thread only.
  std::map<std::string, Entry> jobs_;
  MemoryBudget memory_;
  uint64_t numbers_ = 0;  // given out by JobOnWorker::Environment::next_number
  Stream connected_;      // DriverLink's, null where it has none
  bool is_leaving_ = false;
  // What the last incarnation has left of jobs that are not deployed yet.
  std::map<std::string, std::shared_ptr<const state::KeptTables>> kept_;

  Mutex mutex_;
  std::vector<Stream> streams_ GUARDED_BY(mutex_);
};

Worker::Worker(WorkerOptions options, WorkerEnvironment environment)
    : actor_(std::make_shared<Actor>(std::move(options), std::move(environment))) {
  actor_->Start();
}

Worker::~Worker() { actor_->Stop(); }

void Worker::Serve(std::shared_ptr<DriverStream> stream) { actor_->Serve(std::move(stream)); }

std::vector<proto::JobReport> Worker::Report() { return actor_->Report(); }
void Worker::Connect(std::shared_ptr<DriverStream> stream) { actor_->Connect(std::move(stream)); }
void Worker::Disconnect() { actor_->Disconnect(); }
void Worker::Leave() { actor_->Leave(); }
void Worker::Keep(std::function<void()> done) { actor_->Keep(std::move(done)); }
void Worker::Handle(const proto::ToWorker& message) { actor_->HandleConnected(message); }
void Worker::OnAttemptBroken(const AttemptId& attempt, const arrow::Status& why) {
  actor_->OnAttemptBroken(attempt, why);
}
const std::string& Worker::name() const { return actor_->options().name; }
const std::string& Worker::incarnation() const { return actor_->incarnation(); }
int Worker::slots() const { return actor_->options().slots; }

void Worker::Actor::FindKept() {
  if (options_.found_dir.empty()) return;
  const auto entries = FileSystem::Local()->List(options_.found_dir);
  if (!entries.ok()) return;  // Nothing was left.
  for (const FileInfo& entry : *entries) {
    auto kept = state::KeptTables::Open(entry.path);
    if (kept.ok()) {
      kept_[BaseName(entry.path)] = *std::move(kept);
    } else {
      LogWarn("kept_state_unusable")
          .With("path", entry.path)
          .With("error", kept.status().message());
    }
  }
}

void Worker::Actor::Start() {
  FindKept();
  TIDEMILL_CHECK(static_cast<int>(environment_.slot_executors.size()) == options_.slots);
  const SlotEnvironment slot_environment{environment_.fs, environment_.io, environment_.random,
                                         environment_.network};
  for (int i = 0; i < options_.slots; ++i) {
    const SlotAddress address{options_.name, i};
    slots_.push_back(
        std::make_shared<Slot>(address, environment_.slot_executors[i], slot_environment, this));
    environment_.network->Attach(address, slots_.back().get());
  }
}

void Worker::Actor::Stop() {
  for (const auto& slot : slots_) environment_.network->Detach(slot->address());
  // A stream's handlers hold the stream and this actor: closing lets go of them.
  std::vector<Stream> streams;
  {
    MutexLock lock(&mutex_);
    streams.swap(streams_);
  }
  for (const auto& stream : streams) stream->Close();
}

void Worker::Actor::Serve(std::shared_ptr<DriverStream> stream) {
  {
    MutexLock lock(&mutex_);
    streams_.push_back(stream);
  }
  proto::ToDriver hello;
  hello.set_worker(options_.name);
  hello.set_incarnation(incarnation_);
  hello.mutable_register_worker()->set_worker(options_.name);
  hello.mutable_register_worker()->set_incarnation(incarnation_);
  hello.mutable_register_worker()->set_slots(options_.slots);
  stream->Send(std::move(hello));
  DriverStream::Handlers handlers;
  handlers.on_message = [self = shared_from_this(), stream](const proto::ToWorker& message) {
    self->Handle(stream, message);
  };
  handlers.on_close = [self = shared_from_this(), stream](const arrow::Status&) {
    std::erase_if(self->jobs_, [&](const auto& entry) {
      if (!entry.second.job->IsServedBy(stream)) return false;
      entry.second.job->Undeploy();
      return true;
    });
    MutexLock lock(&self->mutex_);
    std::erase(self->streams_, stream);
  };
  stream->Start(environment_.executor, std::move(handlers));
}

std::vector<proto::JobReport> Worker::Actor::Report() {
  std::vector<proto::JobReport> reports;
  for (auto& [name, entry] : jobs_) {
    entry.is_reported = entry.job->CanBeAdopted();
    if (entry.is_reported) reports.push_back(entry.job->Report());
  }
  for (const auto& [name, kept] : kept_) {
    proto::JobReport& report = reports.emplace_back();
    report.set_job(name);
    report.set_is_kept(true);
    report.set_committed_epoch(-1);
    report.set_open_epoch(-1);
    for (const state::KeptGroup& group : kept->state().key_groups) {
      const int size = static_cast<int>(group.key_group) + 1;
      if (report.key_group_slot_size() < size) report.mutable_key_group_slot()->Resize(size, -1);
      report.set_key_group_slot(size - 1, group.slot);
    }
  }
  return reports;
}

void Worker::Actor::Connect(std::shared_ptr<DriverStream> stream) {
  std::erase_if(jobs_, [](const auto& entry) {
    if (entry.second.is_reported) return false;
    entry.second.job->Undeploy();
    return true;
  });
  connected_ = std::move(stream);
}

void Worker::Actor::Keep(std::function<void()> done) {
  connected_ = nullptr;
  auto left = std::make_shared<size_t>(jobs_.size());
  if (jobs_.empty()) return done();
  // Nothing is taken out meanwhile: one that is done at once must not end the others.
  for (const auto& [name, entry] : jobs_) {
    entry.job->Keep([left, done] {
      if (--*left == 0) done();
    });
  }
}

void Worker::Actor::Disconnect() {
  if (connected_ == nullptr) return;
  std::erase_if(jobs_, [this](const auto& entry) {
    if (!entry.second.job->IsServedBy(connected_) || entry.second.job->Detach()) return false;
    entry.second.job->Undeploy();
    return true;
  });
  connected_ = nullptr;
}

void Worker::Actor::HandleConnected(const proto::ToWorker& message) {
  if (connected_ != nullptr) Handle(connected_, message);
}

void Worker::Actor::OnAttemptBroken(const AttemptId& attempt, const arrow::Status& why) {
  PostTo(attempt.job, [attempt, why](JobOnWorker* job) { job->OnBroken(attempt, why); });
}

void Worker::Actor::Handle(const Stream& stream, const proto::ToWorker& message) {
  switch (message.message_case()) {
    case proto::ToWorker::kDeploy:
      return Deploy(stream, message.deploy(), message.term());
    case proto::ToWorker::kAdopt:
      return HandleForJob(message.adopt().job(), stream, message);
    case proto::ToWorker::kAssign:
      return HandleForJob(message.assign().job(), stream, message);
    case proto::ToWorker::kWarmUp:
      return HandleForJob(message.warm_up().next().job(), stream, message);
    case proto::ToWorker::kRunEpoch:
      return HandleForJob(message.run_epoch().job(), stream, message);
    case proto::ToWorker::kCommitted:
      return HandleForJob(message.committed().job(), stream, message);
    case proto::ToWorker::kAbortEpoch:
      return HandleForJob(message.abort_epoch().job(), stream, message);
    case proto::ToWorker::kUndeploy:
      return HandleForJob(message.undeploy().job(), stream, message);
    case proto::ToWorker::kSnapshotLogged:
      return;  // Nothing is kept for it: the driver alone deletes.
    default:
      break;
  }
  LogWarn("message_unknown").With("case", static_cast<int>(message.message_case()));
}

void Worker::Actor::HandleForJob(const std::string& name, const Stream& stream,
                                 const proto::ToWorker& message) {
  if (message.has_undeploy()) kept_.erase(name);
  const auto found = jobs_.find(name);
  if (found == jobs_.end()) return;  // Its Deploy failed, or it is undeployed.
  // A driver that does not run the job (any more) does not know its term.
  if (message.has_undeploy() && message.term() == 0) return Remove(name);
  if (message.term() < found->second.term) {
    LogWarn("message_of_old_term").With("job", name).With("term", message.term());
    return;
  }
  found->second.term = message.term();
  if (message.has_undeploy() && is_leaving_ && found->second.job->Detach()) return;  // For Keep.
  if (message.has_undeploy()) return Remove(name);
  JobOnWorker* job = found->second.job.get();
  if (message.has_adopt()) return job->Adopt(message.adopt(), stream);
  if (!job->IsServedBy(stream)) {
    LogWarn("message_without_adopt")
        .With("job", name)
        .With("case", static_cast<int>(message.message_case()));
    return;
  }
  if (message.has_assign()) return job->Assign(message.assign());
  if (message.has_warm_up()) return job->WarmUp(message.warm_up());
  if (message.has_run_epoch()) return job->RunEpoch(message.run_epoch(), message.term());
  if (message.has_committed())
    return job->Commit(message.committed().epoch(), message.committed().attempt());
  job->Abort(message.abort_epoch().epoch(), message.abort_epoch().attempt());
}

void Worker::Actor::Deploy(const Stream& stream, const proto::Deploy& message, uint64_t term) {
  if (const auto found = jobs_.find(message.job()); found != jobs_.end()) {
    if (term < found->second.term) {
      LogWarn("message_of_old_term").With("job", message.job()).With("term", term);
      return;
    }
    Remove(message.job());
  }
  auto deployed = JobOnWorker::Deploy(message, JobEnvironment(message.job()), stream);
  if (!deployed.ok()) return SendDeployed(stream, message.job(), deployed.status());
  const std::shared_ptr<JobOnWorker> job = *std::move(deployed);
  jobs_[message.job()] = {job, term};
  job->CheckShared(message, [self = shared_from_this(), stream,
                             name = message.job()](const arrow::Status& seen) {
    self->SendDeployed(stream, name, seen);
    if (!seen.ok()) self->Remove(name);
  });
}

void Worker::Actor::SendDeployed(const Stream& stream, const std::string& job,
                                 const arrow::Status& status) {
  proto::ToDriver answer;
  answer.set_worker(options_.name);
  answer.set_incarnation(incarnation_);
  answer.set_job(job);
  answer.mutable_deployed()->set_job(job);
  if (!status.ok()) WriteError(status, answer.mutable_deployed()->mutable_error());
  stream->Send(std::move(answer));
}

void Worker::Actor::Remove(const std::string& job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  const std::shared_ptr<JobOnWorker> removed = found->second.job;  // It may be what calls.
  jobs_.erase(found);
  removed->Undeploy();
}

JobOnWorker::Environment Worker::Actor::JobEnvironment(const std::string& job) {
  JobOnWorker::Environment environment;
  environment.worker = options_.name;
  environment.incarnation = incarnation_;
  environment.data_dir = options_.data_dir;
  if (!options_.kept_dir.empty()) environment.kept_path = JoinPath(options_.kept_dir, job);
  if (auto kept = kept_.extract(job); !kept.empty()) environment.kept = std::move(kept.mapped());
  environment.fs = environment_.fs;
  environment.executor = environment_.executor;
  environment.io = environment_.io;
  environment.network = environment_.network;
  environment.slots = slots_;
  environment.memory = &memory_;
  environment.next_number = [weak = weak_from_this()] {
    const auto self = weak.lock();
    return self == nullptr ? 0 : ++self->numbers_;
  };
  environment.check_fatal = [on_fatal = environment_.on_fatal](const arrow::Status& status) {
    CheckFatal(on_fatal, status);
  };
  return environment;
}

JobOnWorker* Worker::Actor::Find(const std::string& job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : found->second.job.get();
}

void Worker::Actor::PostTo(const std::string& job, std::function<void(JobOnWorker*)> body) {
  environment_.executor->Post([self = shared_from_this(), job, body = std::move(body)] {
    if (JobOnWorker* found = self->Find(job)) body(found);
  });
}

void Worker::Actor::OnComputed(int slot, SlotReport report) {
  const std::string job = report.id.job;
  auto shared = std::make_shared<SlotReport>(std::move(report));
  PostTo(job, [shared](JobOnWorker* found) { found->OnComputed(std::move(*shared)); });
}

void Worker::Actor::OnStaged(int slot, const AttemptId& id,
                             arrow::Result<connectors::StagedOutput> staged) {
  CheckFatal(environment_.on_fatal,
             staged.status());  // Also of an attempt that nobody waits for any more.
  auto shared = std::make_shared<arrow::Result<connectors::StagedOutput>>(std::move(staged));
  PostTo(id.job, [id, shared](JobOnWorker* found) { found->OnStaged(id, std::move(*shared)); });
}

void Worker::Actor::OnFailed(int slot, const AttemptId& id, const arrow::Status& error) {
  CheckFatal(environment_.on_fatal, error);
  PostTo(id.job, [id, error](JobOnWorker* found) { found->OnFailed(id, error); });
}

void Worker::Actor::OnCaptured(int slot, const std::string& job, uint64_t capture,
                               std::unique_ptr<state::FlushBatch> batch) {
  auto shared = std::make_shared<std::unique_ptr<state::FlushBatch>>(std::move(batch));
  PostTo(job,
         [capture, shared](JobOnWorker* found) { found->OnCaptured(capture, std::move(*shared)); });
}

void Worker::Actor::OnEvicted(int slot, const std::string& job, const EvictionReport& report) {
  PostTo(job, [report](JobOnWorker* found) { found->OnEvicted(report); });
}

}  // namespace tidemill::worker
