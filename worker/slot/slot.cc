#include "worker/slot/slot.h"

namespace tidemill::worker {

Slot::Slot(SlotAddress address, Executor* executor, SlotEnvironment environment,
           SlotListener* listener)
    : address_(std::move(address)),
      executor_(executor),
      environment_(environment),
      listener_(listener) {}

void Slot::PostTask(std::function<void(Slot*)> task) {
  executor_->Post([weak = weak_from_this(), task = std::move(task)] {
    if (auto self = weak.lock()) task(self.get());
  });
}

void Slot::ScheduleStep() {
  if (is_step_scheduled_.exchange(true)) return;
  PostTask([](Slot* self) { self->Step(); });
}

void Slot::Step() {
  is_step_scheduled_.store(false);
  TakeInbox();
  bool has_more = false;
  for (auto& [name, job] : jobs_) has_more |= job->Step();
  if (has_more) ScheduleStep();
}

void Slot::TakeInbox() {
  std::vector<FrameMessage> frames;
  std::vector<std::pair<AttemptId, ExchangeProgress>> progress;
  {
    MutexLock lock(&mutex_);
    frames.swap(frames_);
    progress.swap(progress_);
  }
  for (FrameMessage& message : frames) {
    if (JobSlot* job = Find(message.attempt.job))
      job->AddFrames(message.attempt, std::move(message.frames));
  }
  for (const auto& [attempt, entry] : progress) {
    if (JobSlot* job = Find(attempt.job)) job->AddProgress(attempt, entry);
  }
}

JobSlot* Slot::Find(const std::string& job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : found->second.get();
}

void Slot::Deploy(std::shared_ptr<const DeployedJob> job) {
  PostTask([job = std::move(job)](Slot* self) {
    auto wake = [weak = self->weak_from_this()] {
      if (auto slot = weak.lock()) slot->ScheduleStep();
    };
    auto made = JobSlot::Make(self->address_.slot, job, self->environment_, self->listener_,
                              std::move(wake));
    if (made.ok()) {
      self->jobs_[job->job] = *std::move(made);
    } else {
      self->listener_->OnFailed(self->address_.slot, {job->job, -1, 0}, made.status());
    }
  });
}

void Slot::Undeploy(const std::string& job) {
  PostTask([job](Slot* self) { self->jobs_.erase(job); });
}

void Slot::Assign(const std::string& job, std::shared_ptr<const Assignment> assignment,
                  int self_index, std::vector<RestoredTable> tables, std::function<void()> done) {
  auto shared = std::make_shared<std::vector<RestoredTable>>(std::move(tables));
  PostTask([job, assignment = std::move(assignment), self_index, shared,
            done = std::move(done)](Slot* self) {
    JobSlot* found = self->Find(job);
    if (found == nullptr) return;  // Its Deploy failed, and the listener knows.
    const arrow::Status assigned = found->Assign(assignment, self_index, std::move(*shared));
    if (!assigned.ok()) {
      return self->listener_->OnFailed(self->address_.slot, {job, -1, 0}, assigned);
    }
    done();
  });
}

void Slot::RunEpoch(std::shared_ptr<const EpochTask> task, uint64_t capture) {
  PostTask([task = std::move(task), capture](Slot* self) {
    if (JobSlot* job = self->Find(task->id.job)) job->RunEpoch(task, capture);
    self->ScheduleStep();
  });
}

void Slot::Commit(const std::string& job, int64_t epoch, uint64_t attempt, uint64_t capture) {
  PostTask([=](Slot* self) {
    if (JobSlot* found = self->Find(job)) found->Commit(epoch, attempt, capture);
  });
}

void Slot::Abort(const std::string& job, std::function<void()> done) {
  PostTask([job, done = std::move(done)](Slot* self) {
    if (JobSlot* found = self->Find(job)) found->Abort();
    done();
  });
}

void Slot::Evict(const std::string& job, std::shared_ptr<const Eviction> eviction) {
  PostTask([job, eviction = std::move(eviction)](Slot* self) {
    if (JobSlot* found = self->Find(job)) found->Evict(*eviction);
  });
}

void Slot::Adopt(const std::string& job, int64_t committed_epoch, uint64_t committed_attempt,
                 bool forgets_captures) {
  PostTask([=](Slot* self) {
    if (JobSlot* found = self->Find(job))
      found->Adopt(committed_epoch, committed_attempt, forgets_captures);
  });
}

void Slot::OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> frames) {
  {
    MutexLock lock(&mutex_);
    frames_.push_back({attempt, std::move(frames)});
  }
  ScheduleStep();
}

void Slot::OnProgress(const AttemptId& attempt, const ExchangeProgress& progress) {
  {
    MutexLock lock(&mutex_);
    progress_.emplace_back(attempt, progress);
  }
  ScheduleStep();
}

}  // namespace tidemill::worker
