#include "driver/job/worker_set.h"

#include <algorithm>
#include <utility>

namespace tidemill::driver {

namespace {

// Whether something of these key groups belongs to a worker.
template <class Groups>
bool Touches(const Groups& groups, const std::vector<bool>& owned) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](uint32_t group) { return group < owned.size() && owned[group]; });
}

}  // namespace

WorkerSet::WorkerSet(std::vector<WorkerLink> links) {
  for (WorkerLink& link : links) {
    std::string name = link.name;
    workers_.emplace(std::move(name), Worker{.link = std::move(link)});
  }
}

void WorkerSet::Start(Executor* executor, const OnMessage& on_message, const OnLost& on_lost) {
  for (auto& [name, worker] : workers_) {
    worker.link.stream->Start(
        executor,
        {.on_message = [on_message, name = name](
                           proto::ToDriver message) { on_message(name, std::move(message)); },
         .on_close = [on_lost, name = name](const arrow::Status& why) { on_lost(name, why); }});
  }
}

std::set<std::string> WorkerSet::names() const {
  std::set<std::string> names;
  for (const auto& [name, worker] : workers_) names.insert(name);
  return names;
}

int WorkerSet::slots() const {
  int slots = 0;
  for (const auto& [name, worker] : workers_) slots += worker.link.slots;
  return slots;
}

proto::ToWorker WorkerSet::NewMessage() const {
  proto::ToWorker message;
  message.set_term(deployment_.term);
  return message;
}

void WorkerSet::DeployOn(Worker* worker) {
  const uint64_t fingerprint = deployment_.message.plan_fingerprint();
  if (worker->deployed == fingerprint) return;
  if (worker->deployed != 0) {
    proto::ToWorker message = NewMessage();
    message.mutable_undeploy()->set_job(deployment_.job_uuid);
    worker->link.stream->Send(std::move(message));
  }
  proto::ToWorker message = NewMessage();
  *message.mutable_deploy() = deployment_.message;
  worker->link.stream->Send(std::move(message));
  worker->deployed = fingerprint;
}

void WorkerSet::Assign(uint64_t version, const std::set<std::string>& workers,
                       const LogState& state, uint32_t key_groups) {
  version_ = version;
  assigned_ = workers;
  proto::Assign shared;
  shared.set_job(deployment_.job_uuid);
  shared.set_version(version);
  shared.set_committed_epoch(state.last_committed());
  for (const std::string& name : workers) {
    for (int slot = 0; slot < workers_.at(name).link.slots; ++slot) {
      proto::SlotAddress* address = shared.add_slots();
      address->set_worker(name);
      address->set_slot(slot);
    }
  }
  const uint64_t slots = shared.slots_size();
  for (uint64_t group = 0; group < key_groups; ++group) {
    shared.add_key_group_slot(static_cast<uint32_t>(group * slots / key_groups));
  }
  for (const std::string& name : workers) {
    Worker& worker = workers_.at(name);
    DeployOn(&worker);
    std::vector<bool> owned(key_groups);
    for (uint32_t group = 0; group < key_groups; ++group) {
      const auto slot = static_cast<int>(shared.key_group_slot(static_cast<int>(group)));
      owned[group] = shared.slots(slot).worker() == name;
    }
    proto::ToWorker message = NewMessage();
    proto::Assign* assign = message.mutable_assign();
    *assign = shared;
    const auto& snapshots = state.snapshots();  // ascending by epoch
    for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
      if (Touches(snapshot->key_groups(), owned)) *assign->add_snapshots() = *snapshot;
    }
    for (const proto::Extent& extent : state.extents()) {
      if (Touches(extent.key_groups(), owned)) *assign->add_extents() = extent;
    }
    worker.link.stream->Send(std::move(message));
  }
}

template <class Fill>
void WorkerSet::SendToAssigned(const Fill& fill) {
  for (const std::string& name : assigned_) {
    const auto found = workers_.find(name);
    if (found == workers_.end()) continue;
    proto::ToWorker message = NewMessage();
    fill(&message);
    found->second.link.stream->Send(std::move(message));
  }
}

void WorkerSet::SendRun(const proto::EpochPlan& plan, uint64_t attempt, int64_t committed_epoch,
                        uint64_t committed_attempt) {
  SendToAssigned([&](proto::ToWorker* message) {
    proto::RunEpoch* run = message->mutable_run_epoch();
    run->set_job(deployment_.job_uuid);
    run->set_attempt(attempt);
    run->set_assignment_version(version_);
    *run->mutable_plan() = plan;
    run->set_committed_epoch(committed_epoch);
    run->set_committed_attempt(committed_attempt);
  });
}

void WorkerSet::SendAbort(int64_t epoch, uint64_t attempt) {
  SendToAssigned([&](proto::ToWorker* message) {
    proto::AbortEpoch* abort = message->mutable_abort_epoch();
    abort->set_job(deployment_.job_uuid);
    abort->set_epoch(epoch);
    abort->set_attempt(attempt);
  });
}

void WorkerSet::SendCommitted(int64_t epoch, uint64_t attempt) {
  SendToAssigned([&](proto::ToWorker* message) {
    proto::Committed* committed = message->mutable_committed();
    committed->set_job(deployment_.job_uuid);
    committed->set_epoch(epoch);
    committed->set_attempt(attempt);
  });
}

void WorkerSet::SendSnapshotLogged(const std::string& worker, const std::string& snapshot_id) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  proto::ToWorker message = NewMessage();
  message.mutable_snapshot_logged()->set_job(deployment_.job_uuid);
  message.mutable_snapshot_logged()->set_snapshot_id(snapshot_id);
  found->second.link.stream->Send(std::move(message));
}

void WorkerSet::Close() {
  for (auto& [name, worker] : workers_) {
    if (worker.deployed != 0) {
      proto::ToWorker message = NewMessage();
      message.mutable_undeploy()->set_job(deployment_.job_uuid);
      worker.link.stream->Send(std::move(message));
    }
    worker.link.stream->Close();
  }
  workers_.clear();
}

}  // namespace tidemill::driver
