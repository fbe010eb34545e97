// How a job comes to its workers and they to their key groups.
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "driver/job/job_actor.h"
#include "driver/plan/stages/plan_writer.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

void JobRunner::Actor::Settle() {
  is_settled_ = true;
  FeedWorkers();
}

void JobRunner::Actor::FeedWorkers() {
  if (scheduler_.is_finished()) return;
  if (workers_.empty() && !environment_.waits_for_workers) {
    return Feed(event::Broken{
        MakeError(ErrorKind::kUnavailable, "NO_WORKERS", "all workers of the job are gone")});
  }
  UpdateMembers();
}

void JobRunner::Actor::UpdateMembers() {
  if (!is_settled_) return;
  membership_.Update({workers_.names(), workers_.leaving()});
  ShowWorkers();
}

void JobRunner::Actor::ShowWorkers() {
  if (membership_.wants_warm_up() && !(CanWarmUp() && SendWarmUp())) membership_.ShowAll();
  if (!membership_.is_warming()) files_.SetWarming({});
  Feed(event::WorkersChanged{membership_.shown().workers, membership_.shown().leaving});
}

// Else there is no assignment whose epochs could go on meanwhile.
bool JobRunner::Actor::CanWarmUp() const {
  return !members_.empty() && unassigned_.empty() && !uses_stored_plan_ && !is_replacing_sink_ &&
         assignment_.workers == membership_.shown().Assignable();
}

bool JobRunner::Actor::SendWarmUp() {
  auto sent =
      workers_.SendWarmUp(membership_.next_round(), membership_.there().Assignable(), job_->state);
  if (sent.asked.empty()) return false;
  files_.SetWarming(std::move(sent.files));
  membership_.Begin(std::move(sent.asked), environment_.clock->SteadyNow());
  return true;
}

void JobRunner::Actor::OnRestoring(const std::string& worker, const proto::Restoring& message) {
  const bool is_awaited =
      message.is_ahead() ? membership_.is_warming(message.number())
                         : message.number() == assignment_.version && unassigned_.contains(worker);
  if (!is_awaited) return;
  restores_[worker] = {.worker = worker,
                       .is_ahead = message.is_ahead(),
                       .key_groups = message.key_groups(),
                       .key_groups_read = message.key_groups_read(),
                       .rows = message.rows()};
  ReportRestores();
}

void JobRunner::Actor::ForgetRestore(const std::string& worker) {
  if (restores_.erase(worker) > 0) ReportRestores();
}

void JobRunner::Actor::ReportRestores() const {
  if (!environment_.on_restores) return;
  std::vector<RestoreProgress> restores;
  for (const auto& [worker, restore] : restores_) restores.push_back(restore);
  environment_.on_restores(restores);
}

void JobRunner::Actor::OnWarmedUp(const std::string& worker, const proto::WarmedUp& message) {
  if (!membership_.is_warming(message.number())) return;
  ForgetRestore(worker);
  if (message.has_error()) {
    LogWarn("warm_up_failed")
        .With("worker", worker)
        .With("error", ReadError(message.error()).ToString());
    membership_.ShowAll();
    return ShowWorkers();
  }
  switch (membership_.OnWarm(worker, message.number(), environment_.clock->SteadyNow())) {
    case Membership::Next::kNothing:
      return;
    case Membership::Next::kAgain:
      if (!SendWarmUp()) membership_.ShowAll();
      break;
    case Membership::Next::kShown:
      LogInfo("workers_warm").With("rows", message.rows()).With("round", message.number());
      break;
  }
  ShowWorkers();
}

void JobRunner::Actor::OnAdded(WorkerLink link) {
  if (link.stream == nullptr) return;
  if (scheduler_.is_finished()) return link.stream->Close();
  if (workers_.Contains(link.name)) {
    LogWarn("worker_replaced").With("worker", link.name);
    workers_.Remove(link.name);
    files_.ForgetWorker(link.name);
    // What it was assigned is lost, even if it is there again.
    UpdateMembers();
    if (scheduler_.is_finished()) return link.stream->Close();
  }
  workers_.Add(std::move(link));
  FeedWorkers();
}

void JobRunner::Actor::OnWorkerLost(const std::string& worker, const arrow::Status& why) {
  if (scheduler_.is_finished()) return;
  // The registry has said that it is gone, once for all its jobs.
  LogDebug("job_lost_worker").With("job", definition_.name).With("worker", worker);
  workers_.Remove(worker);
  files_.ForgetWorker(worker);
  ForgetRestore(worker);
  FeedWorkers();
}

void JobRunner::Actor::OnNotDeployed(const std::string& worker, const arrow::Status& error) {
  workers_.NoteNotDeployed(worker);
  OnAssignmentFailed(WithContext(error, "deploy the job on " + worker));
}

void JobRunner::Actor::OnAssignmentFailed(const arrow::Status& error) {
  Feed(event::AssignmentFailed{assignment_.version, error});
  membership_.ShowAll();  // Whoever it is, is needed.
  if (!scheduler_.is_finished()) ShowWorkers();
}

void JobRunner::Actor::OnAssigned(const std::string& worker, const proto::Assigned& message) {
  if (message.version() != assignment_.version || !unassigned_.contains(worker)) return;
  ForgetRestore(worker);
  if (message.has_error())
    return OnAssignmentFailed(WithContext(ReadError(message.error()), "restore the state"));
  if (message.restored_rows() > 0) {
    LogInfo("state_restored").With("worker", worker).With("rows", message.restored_rows());
  }
  workers_.NoteAssigned(worker);
  unassigned_.erase(worker);
  if (!unassigned_.empty()) return;
  if (environment_.on_slots) environment_.on_slots(workers_.slots());
  Feed(event::AssignmentReady{assignment_.version, members_});
  membership_.OnAssigned();
  if (!scheduler_.is_finished() && membership_.wants_warm_up()) ShowWorkers();
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
  // What is temporary is never read over a network or kept for long.
  if (definition_.is_durable) deploy.set_changelog_codec(definition_.changelog_codec);
  deploy.set_snapshot_min_bytes(definition_.snapshot_min_bytes);
  deploy.set_snapshot_ratio(definition_.snapshot_ratio);
  deploy.set_memory_bytes(definition_.memory_bytes);
  const auto add = [&deploy](const SharedFileProof& proof) {
    proto::SharedFile* file = deploy.add_shared_files();
    file->set_purpose(proof.purpose);
    file->set_path(proof.path);
    file->set_checksum(proof.checksum);
  };
  for (const SharedFileProof& proof : shared_files_) add(proof);
  if (sink_->shared_file().has_value()) add(*sink_->shared_file());
  workers_.SetDeployment(std::move(deployment));
}

void JobRunner::Actor::Do(const action::Assign& action) {
  assignment_ = action;
  if (!restores_.empty()) {  // What they were for is given up.
    restores_.clear();
    ReportRestores();
  }
  members_.clear();
  unassigned_.clear();
  if (uses_stored_plan_ && !action.with_stored_plan) return ReplaceSink();
  SendAssign();
}

void JobRunner::Actor::SendAssign() {
  SetDeployment(assignment_.with_stored_plan);
  auto assigned = workers_.Assign(assignment_.version, assignment_.workers, job_->state);
  members_ = std::move(assigned.members);
  unassigned_ = std::move(assigned.asked);
}

void JobRunner::Actor::Do(const action::Release& action) {
  LogInfo("worker_released").With("worker", action.worker);
  membership_.Forget(action.worker);
  workers_.Release(action.worker);
  files_.ForgetWorker(action.worker);
  FeedWorkers();
}

}  // namespace tidemill::driver
