#include "worker/worker.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "proto/control.pb.h"
#include "worker/job_on_worker.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

// Everything that happens on the worker's thread; shared with callbacks that may outlive the
// Worker.
class Worker::Actor final : public SlotListener,
                            public std::enable_shared_from_this<Worker::Actor> {
 public:
  Actor(WorkerOptions options, WorkerEnvironment environment)
      : options_(std::move(options)),
        environment_(std::move(environment)),
        incarnation_(NewUuid(environment_.random)) {}

  void Start();
  void Stop();
  void Serve(std::shared_ptr<DriverStream> stream);

  void OnComputed(int slot, SlotReport report) override;
  void OnStaged(int slot, const AttemptId& id,
                arrow::Result<connectors::StagedOutput> staged) override;
  void OnFailed(int slot, const AttemptId& id, const arrow::Status& error) override;
  void OnCaptured(int slot, const std::string& job,
                  std::unique_ptr<state::FlushBatch> batch) override;

 private:
  struct Entry {
    std::shared_ptr<DriverStream> stream;
    std::shared_ptr<JobOnWorker> job;
  };

  void Handle(const std::shared_ptr<DriverStream>& stream, const proto::ToWorker& message);
  void Deploy(const std::shared_ptr<DriverStream>& stream, const proto::Deploy& message);
  // Runs `body` with the job, on the worker's thread; nothing where it is gone.
  void PostTo(const std::string& job, std::function<void(JobOnWorker*)> body);
  JobOnWorker* Find(const std::string& job);

  const WorkerOptions options_;
  const WorkerEnvironment environment_;
  const std::string incarnation_;
  std::vector<std::shared_ptr<Slot>> slots_;
  std::map<std::string, Entry> jobs_;  // the worker's thread only
  int64_t deployments_ = 0;            // the worker's thread only

  Mutex mutex_;
  std::vector<std::shared_ptr<DriverStream>> streams_ GUARDED_BY(mutex_);
};

Worker::Worker(WorkerOptions options, WorkerEnvironment environment)
    : actor_(std::make_shared<Actor>(std::move(options), std::move(environment))) {
  actor_->Start();
}

Worker::~Worker() { actor_->Stop(); }

void Worker::Serve(std::shared_ptr<DriverStream> stream) { actor_->Serve(std::move(stream)); }

void Worker::Actor::Start() {
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
  std::vector<std::shared_ptr<DriverStream>> streams;
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
  handlers.on_message = [self = shared_from_this(), stream](proto::ToWorker message) {
    self->Handle(stream, message);
  };
  handlers.on_close = [self = shared_from_this(), stream](const arrow::Status&) {
    std::erase_if(self->jobs_, [&](const auto& entry) {
      if (entry.second.stream != stream) return false;
      entry.second.job->Undeploy();
      return true;
    });
    MutexLock lock(&self->mutex_);
    std::erase(self->streams_, stream);
  };
  stream->Start(environment_.executor, std::move(handlers));
}

void Worker::Actor::Handle(const std::shared_ptr<DriverStream>& stream,
                           const proto::ToWorker& message) {
  switch (message.message_case()) {
    case proto::ToWorker::kDeploy:
      Deploy(stream, message.deploy());
      return;
    case proto::ToWorker::kAssign:
      if (JobOnWorker* job = Find(message.assign().job())) job->Assign(message.assign());
      return;
    case proto::ToWorker::kRunEpoch:
      if (JobOnWorker* job = Find(message.run_epoch().job()))
        job->RunEpoch(message.run_epoch(), message.term());
      return;
    case proto::ToWorker::kCommitted:
      if (JobOnWorker* job = Find(message.committed().job())) {
        job->Commit(message.committed().epoch(), message.committed().attempt());
      }
      return;
    case proto::ToWorker::kAbortEpoch:
      if (JobOnWorker* job = Find(message.abort_epoch().job())) job->Abort();
      return;
    case proto::ToWorker::kUndeploy:
      if (JobOnWorker* job = Find(message.undeploy().job())) job->Undeploy();
      jobs_.erase(message.undeploy().job());
      return;
    case proto::ToWorker::kSnapshotLogged:
      return;  // Nothing is kept for it: the driver alone deletes.
    default:
      break;
  }
  LogWarn("message_unknown").With("case", static_cast<int>(message.message_case()));
}

void Worker::Actor::Deploy(const std::shared_ptr<DriverStream>& stream,
                           const proto::Deploy& message) {
  JobOnWorker::Environment environment;
  environment.worker = options_.name;
  environment.incarnation = incarnation_;
  environment.deployment = deployments_++;
  environment.data_dir = options_.data_dir;
  environment.fs = environment_.fs;
  environment.executor = environment_.executor;
  environment.io = environment_.io;
  environment.slots = slots_;
  environment.stream = stream;
  auto job = JobOnWorker::Deploy(message, std::move(environment));
  proto::ToDriver answer;
  answer.set_worker(options_.name);
  answer.set_incarnation(incarnation_);
  answer.mutable_deployed()->set_job(message.job());
  if (job.ok()) {
    jobs_[message.job()] = {stream, *std::move(job)};
  } else {
    WriteError(job.status(), answer.mutable_deployed()->mutable_error());
  }
  stream->Send(std::move(answer));
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
  auto shared = std::make_shared<arrow::Result<connectors::StagedOutput>>(std::move(staged));
  PostTo(id.job, [id, shared](JobOnWorker* found) { found->OnStaged(id, std::move(*shared)); });
}

void Worker::Actor::OnFailed(int slot, const AttemptId& id, const arrow::Status& error) {
  PostTo(id.job, [id, error](JobOnWorker* found) { found->OnFailed(id, error); });
}

void Worker::Actor::OnCaptured(int slot, const std::string& job,
                               std::unique_ptr<state::FlushBatch> batch) {
  auto shared = std::make_shared<std::unique_ptr<state::FlushBatch>>(std::move(batch));
  PostTo(job, [shared](JobOnWorker* found) { found->OnCaptured(std::move(*shared)); });
}

}  // namespace tidemill::worker
