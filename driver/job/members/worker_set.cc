#include "driver/job/members/worker_set.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/logging.h"
#include "driver/epoch/adoption.h"

namespace tidemill::driver {

namespace {

// Whether something of these key groups is wanted.
template <class Groups>
bool Touches(const Groups& groups, const std::vector<bool>& wanted) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](uint32_t group) { return group < wanted.size() && wanted[group]; });
}

std::set<std::string> WorkersOf(const KeyGroupAssignment& assignment) {
  std::set<std::string> names;
  for (const SlotId& slot : assignment.slots) names.insert(slot.worker);
  return names;
}

// What these key groups are restored from.
void AddState(const LogState& state, const std::vector<bool>& key_groups, proto::Assign* assign) {
  const auto& snapshots = state.snapshots();  // ascending by epoch
  for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
    if (Touches(snapshot->key_groups(), key_groups)) *assign->add_snapshots() = *snapshot;
  }
  for (const proto::Extent& extent : state.extents()) {
    if (Touches(extent.key_groups(), key_groups)) *assign->add_extents() = extent;
  }
}

WorkerReport ReadReport(const proto::JobReport& report) {
  return {.plan_fingerprint = report.plan_fingerprint(),
          .committed_epoch = report.committed_epoch(),
          .open_epoch = report.open_epoch(),
          .open_attempt = report.open_attempt(),
          .is_prepared = report.is_prepared()};
}

std::string_view NameOf(Adoption adoption) {
  switch (adoption) {
    case Adoption::kKeep:
      return "keep";
    case Adoption::kUndo:
      return "undo";
    case Adoption::kKeepAsCommitted:
      return "keep_as_committed";
    case Adoption::kDrop:
      break;
  }
  return "drop";
}

}  // namespace

bool WorkerSet::Worker::HasNothing() const {
  const auto is_none = [](int slot) { return slot < 0; };
  return std::all_of(held.begin(), held.end(), is_none) &&
         std::all_of(assigned.begin(), assigned.end(), is_none);
}

void WorkerSet::Start(Executor* executor, Handlers handlers) {
  executor_ = executor;
  handlers_ = std::move(handlers);
}

void WorkerSet::Add(WorkerLink link) {
  const std::string name = link.name;
  Worker worker{.link = std::move(link),
                .held = std::vector<int>(key_groups_, -1),
                .assigned = std::vector<int>(key_groups_, -1)};
  const auto [added, is_new] = workers_.emplace(name, std::move(worker));
  TIDEMILL_CHECK(is_new);
  added->second.link.stream->Start(
      executor_,
      {.on_message = [on_message = handlers_.on_message,
                      name](proto::ToDriver message) { on_message(name, std::move(message)); },
       .on_close = [on_lost = handlers_.on_lost,
                    name](const arrow::Status& why) { on_lost(name, why); }});
}

void WorkerSet::Remove(const std::string& worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  found->second.link.stream->Close();
  workers_.erase(found);
  // Whoever comes back under the name has what it reports, and nothing else.
  for (auto& owner : owner_) {
    if (owner.has_value() && owner->worker == worker) owner.reset();
  }
}

void WorkerSet::Release(const std::string& worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  Undeploy(&found->second);
  Remove(worker);
}

std::set<std::string> WorkerSet::names() const {
  std::set<std::string> names;
  for (const auto& [name, worker] : workers_) names.insert(name);
  return names;
}

std::set<std::string> WorkerSet::leaving() const {
  std::set<std::string> names;
  for (const auto& [name, worker] : workers_) {
    if (worker.is_leaving) names.insert(name);
  }
  return names;
}

int WorkerSet::slots() const {
  if (slots_ > 0) return slots_;
  int slots = 0;
  for (const auto& [name, worker] : workers_) slots += worker.link.slots;
  return max_slots_ > 0 ? std::min(slots, max_slots_) : slots;
}

proto::ToWorker WorkerSet::NewMessage() const {
  proto::ToWorker message;
  message.set_term(deployment_.term);
  return message;
}

void WorkerSet::Send(const Worker& worker, proto::ToWorker message) const {
  worker.link.stream->Send(std::move(message));
}

void WorkerSet::Adopt(const LogState& state, Worker* worker) {
  const auto report = std::exchange(worker->link.report, nullptr);
  if (report == nullptr) return;
  const int groups = std::min(report->key_group_slot_size(), static_cast<int>(key_groups_));
  if (report->is_kept()) {
    worker->kept.assign(key_groups_, -1);
    std::copy_n(report->key_group_slot().begin(), groups, worker->kept.begin());
    return;
  }
  const Adoption adoption = DecideAdoption(
      ReadReport(*report), {.plan_fingerprint = deployment_.message.plan_fingerprint(),
                            .committed_epoch = state.last_committed(),
                            .committed_attempt = state.committed_attempt()});
  LogInfo("worker_state_reported")
      .With("worker", worker->link.name)
      .With("decision", NameOf(adoption))
      .With("committed", report->committed_epoch())
      .With("open", report->open_epoch());
  worker->deployed = report->plan_fingerprint();
  if (adoption == Adoption::kDrop) return Undeploy(worker);
  for (int group = 0; group < groups; ++group) {
    const int slot = report->key_group_slot(group);
    if (slot < worker->link.slots) worker->held[group] = std::max(slot, -1);
  }
  proto::ToWorker message = NewMessage();
  message.mutable_adopt()->set_job(deployment_.job_uuid);
  message.mutable_adopt()->set_committed_epoch(state.last_committed());
  message.mutable_adopt()->set_committed_attempt(state.committed_attempt());
  Send(*worker, std::move(message));
}

void WorkerSet::Undeploy(Worker* worker) {
  // A report that was never judged is of no use to anyone now.
  const bool has_report = std::exchange(worker->link.report, nullptr) != nullptr;
  if (!worker->deployed.has_value() && !(has_report && deployment_.term != 0)) return;
  proto::ToWorker message = NewMessage();
  message.mutable_undeploy()->set_job(deployment_.job_uuid);
  Send(*worker, std::move(message));
  worker->deployed.reset();
  worker->held.assign(key_groups_, -1);
  worker->assigned.assign(key_groups_, -1);
}

void WorkerSet::DeployOn(Worker* worker) {
  const uint64_t fingerprint = deployment_.message.plan_fingerprint();
  if (worker->deployed == fingerprint) return;
  Undeploy(worker);
  proto::ToWorker message = NewMessage();
  *message.mutable_deploy() = deployment_.message;
  Send(*worker, std::move(message));
  worker->deployed = fingerprint;
}

KeyGroupAssignment WorkerSet::Compute(const std::set<std::string>& workers) const {
  AssignmentRequest request{.max_slots = max_slots_, .previous = owner_};
  request.previous.resize(key_groups_);
  request.rejoined.resize(key_groups_);
  for (const std::string& name : workers) {
    const Worker& worker = workers_.at(name);
    for (int slot = 0; slot < worker.link.slots; ++slot) request.slots.push_back({name, slot});
    for (uint32_t group = 0; group < key_groups_; ++group) {
      const bool is_kept = worker.held[group] < 0 && !worker.kept.empty();
      const SlotId holder{name, is_kept ? worker.kept[group] : worker.held[group]};
      if (holder.slot >= 0 && request.previous[group] != holder) request.rejoined[group] = holder;
    }
  }
  return AssignKeyGroups(request);
}

WorkerSet::Assigned WorkerSet::Assign(uint64_t version, const std::set<std::string>& workers,
                                      const LogState& state) {
  std::set<std::string> there;
  for (const std::string& name : workers) {
    if (!workers_.contains(name)) continue;
    there.insert(name);
    Adopt(state, &workers_.at(name));
  }
  version_ = version;
  members_.clear();
  if (there.empty()) return {};
  const KeyGroupAssignment assignment = Compute(there);
  slots_ = static_cast<int>(assignment.slots.size());
  members_ = WorkersOf(assignment);
  owner_.assign(key_groups_, std::nullopt);
  for (uint32_t group = 0; group < key_groups_; ++group)
    owner_[group] = assignment.slots[assignment.owner[group]];
  const proto::Assign shared = NewAssign(version, assignment, state);
  Assigned assigned{.members = members_};
  for (const std::string& name : there) {
    Worker& worker = workers_.at(name);
    if (members_.contains(name)) {
      DeployOn(&worker);
    } else if (worker.HasNothing()) {
      Undeploy(&worker);  // It may have been warmed up in vain.
      continue;
    }
    SendAssign(name, shared, state, &worker);
    assigned.asked.insert(name);
  }
  return assigned;
}

proto::Assign WorkerSet::NewAssign(uint64_t version, const KeyGroupAssignment& assignment,
                                   const LogState& state) const {
  proto::Assign message;
  message.set_job(deployment_.job_uuid);
  message.set_version(version);
  message.set_committed_epoch(state.last_committed());
  for (const SlotId& slot : assignment.slots) {
    proto::SlotAddress* address = message.add_slots();
    address->set_worker(slot.worker);
    address->set_slot(slot.slot);
  }
  message.mutable_key_group_slot()->Assign(assignment.owner.begin(), assignment.owner.end());
  for (const std::string& name : WorkersOf(assignment)) {
    const WorkerLink& link = workers_.at(name).link;
    proto::WorkerAddress* address = message.add_workers();
    address->set_worker(name);
    address->set_incarnation(link.incarnation);
    address->set_exchange_address(link.exchange_address);
  }
  return message;
}

void WorkerSet::SendAssign(const std::string& name, const proto::Assign& shared,
                           const LogState& state, Worker* worker) {
  worker->kept.clear();
  std::vector<bool> missing(key_groups_);
  for (uint32_t group = 0; group < key_groups_; ++group) {
    const bool is_owner = owner_[group]->worker == name;
    worker->assigned[group] = is_owner ? owner_[group]->slot : -1;
    if (worker->held[group] != worker->assigned[group]) worker->held[group] = -1;
    missing[group] = is_owner && worker->held[group] < 0;
  }
  proto::ToWorker message = NewMessage();
  *message.mutable_assign() = shared;
  AddState(state, missing, message.mutable_assign());
  Send(*worker, std::move(message));
}

WorkerSet::WarmUp WorkerSet::SendWarmUp(uint64_t number, const std::set<std::string>& workers,
                                        const LogState& state) {
  const bool has_reports = std::any_of(workers.begin(), workers.end(), [&](const auto& name) {
    return workers_.at(name).link.report != nullptr;
  });
  if (workers.empty() || has_reports) return {};
  const KeyGroupAssignment assignment = Compute(workers);
  const proto::Assign shared = NewAssign(number, assignment, state);
  WarmUp warm_up;
  for (const std::string& name : WorkersOf(assignment)) {
    Worker& worker = workers_.at(name);
    std::vector<bool> missing(key_groups_);
    for (uint32_t group = 0; group < key_groups_; ++group) {
      const SlotId& owner = assignment.slots[assignment.owner[group]];
      missing[group] = owner.worker == name && worker.held[group] != owner.slot;
    }
    proto::Assign next = shared;
    AddState(state, missing, &next);
    if (next.snapshots().empty() && next.extents().empty()) continue;
    for (const proto::Snapshot& snapshot : next.snapshots()) {
      for (const proto::SnapshotFile& file : snapshot.files())
        warm_up.files.insert(StateFile(file.name()));
    }
    for (const proto::Extent& extent : next.extents())
      warm_up.files.insert(StateFile(extent.file()));
    DeployOn(&worker);
    proto::ToWorker message = NewMessage();
    *message.mutable_warm_up()->mutable_next() = std::move(next);
    Send(worker, std::move(message));
    warm_up.asked.insert(name);
  }
  return warm_up;
}

void WorkerSet::NoteAssigned(const std::string& worker) {
  Worker& found = workers_.at(worker);
  found.held = found.assigned;
}

template <class Fill>
void WorkerSet::SendToAssigned(const Fill& fill) {
  for (const std::string& name : members_) {
    const auto found = workers_.find(name);
    if (found == workers_.end()) continue;
    proto::ToWorker message = NewMessage();
    fill(&message);
    Send(found->second, std::move(message));
  }
}

void WorkerSet::SetDeployment(Deployment deployment) {
  deployment_ = std::move(deployment);
  kept_builds_ = KeptBuilds(deployment_.message.plan());
}

void WorkerSet::SendRun(const proto::EpochPlan& plan, uint64_t attempt, int64_t committed_epoch,
                        uint64_t committed_attempt) {
  const bool keeps_builds = kept_builds_.Begin(plan, version_);
  SendToAssigned([&](proto::ToWorker* message) {
    proto::RunEpoch* run = message->mutable_run_epoch();
    run->set_job(deployment_.job_uuid);
    run->set_attempt(attempt);
    run->set_assignment_version(version_);
    *run->mutable_plan() = plan;
    run->set_committed_epoch(committed_epoch);
    run->set_committed_attempt(committed_attempt);
    run->set_keeps_builds(keeps_builds);
  });
}

void WorkerSet::SendAbort(int64_t epoch, uint64_t attempt) {
  kept_builds_.Forget();
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
  Send(found->second, std::move(message));
}

void WorkerSet::Close(bool keeps) {
  while (!workers_.empty()) {
    const std::string name = workers_.begin()->first;
    keeps ? Remove(name) : Release(name);
  }
}

}  // namespace tidemill::driver
