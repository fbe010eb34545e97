#include "worker/job_on_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/failpoint.h"
#include "common/base/logging.h"
#include "state/durable/restore.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

namespace {

int64_t SteadyMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

arrow::Result<std::shared_ptr<JobOnWorker>> JobOnWorker::Deploy(const proto::Deploy& message,
                                                                Environment environment) {
  auto job = std::shared_ptr<JobOnWorker>(new JobOnWorker(std::move(environment)));
  ARROW_ASSIGN_OR_RAISE(auto plan, ReadPlan(message.plan(), message.job(), message.job_name()));
  auto deployed = std::make_shared<DeployedJob>();
  deployed->job = message.job();
  deployed->plan = plan;
  deployed->num_key_groups = static_cast<int>(message.key_groups());
  deployed->is_durable = message.is_durable();
  job->job_ = deployed;
  job->state_dir_ = JoinPath(message.checkpoint(), "state");
  ARROW_ASSIGN_OR_RAISE(job->table_maker_,
                        OperatorStates::Make(plan->stateful, deployed->num_key_groups));

  StateKeeper::Options options;
  options.fs = job->environment_.fs;
  options.io = job->environment_.io;
  options.state_dir = job->state_dir_;
  options.incarnation =
      fmt::format("{}.{}", job->environment_.incarnation, job->environment_.deployment);
  options.local_dir = JoinPath(JoinPath(job->environment_.data_dir, message.job()),
                               fmt::format("{}-{}", job->environment_.worker, options.incarnation));
  options.worker = job->environment_.worker;
  for (const StatefulOperator& op : plan->stateful) options.operators.push_back(op.operator_id);
  options.is_durable = message.is_durable();
  if (message.snapshot_min_bytes() > 0) options.policy.min_bytes = message.snapshot_min_bytes();
  if (message.snapshot_ratio() > 0) options.policy.state_ratio = message.snapshot_ratio();
  job->keeper_ = std::make_unique<StateKeeper>(std::move(options));

  job->owned_.resize(job->environment_.slots.size());
  for (const auto& slot : job->environment_.slots) slot->Deploy(deployed);
  return job;
}

void JobOnWorker::Undeploy() {
  for (const auto& slot : environment_.slots) slot->Undeploy(job_->job);
}

void JobOnWorker::Assign(const proto::Assign& message) {
  auto assignment = ReadAssignment(message);
  own_slots_.assign(environment_.slots.size(), -1);
  for (int index = 0; index < assignment->num_slots(); ++index) {
    const SlotAddress& address = assignment->slots[index];
    if (address.worker == environment_.worker) own_slots_.at(address.slot) = index;
  }
  std::vector<std::vector<uint32_t>> new_groups(environment_.slots.size());
  for (size_t slot = 0; slot < own_slots_.size(); ++slot) {
    std::vector<uint32_t> groups;
    for (uint32_t group = 0; group < assignment->key_group_slot.size(); ++group) {
      if (static_cast<int>(assignment->key_group_slot[group]) != own_slots_[slot]) continue;
      groups.push_back(group);
      if (!std::binary_search(owned_[slot].begin(), owned_[slot].end(), group))
        new_groups[slot].push_back(group);
    }
    owned_[slot] = std::move(groups);
  }
  committed_epoch_ = message.committed_epoch();
  Restore(std::move(assignment), message, std::move(new_groups));
}

// Fills the new tables on the I/O pool, slot by slot in parallel.
void JobOnWorker::Restore(std::shared_ptr<const Assignment> assignment,
                          const proto::Assign& message,
                          std::vector<std::vector<uint32_t>> new_groups) {
  state::Restorer::Options options;
  options.fs = environment_.fs;
  options.state_dir = state_dir_;
  options.scratch_dir =
      JoinPath(JoinPath(environment_.data_dir, job_->job),
               fmt::format("restore-{}-{}", environment_.incarnation, message.version()));
  for (const proto::Snapshot& snapshot : message.snapshots())
    options.snapshots.push_back(ReadSnapshot(snapshot));
  for (const proto::Extent& extent : message.extents())
    options.extents.push_back(ReadExtent(extent));
  options.committed_epoch = message.committed_epoch();
  const bool needs_restore = !options.snapshots.empty() || !options.extents.empty();

  struct Progress {
    std::vector<std::vector<RestoredTable>> tables;
    int64_t rows = 0;
    int left = 0;
    arrow::Status status;
  };
  auto progress = std::make_shared<Progress>();
  progress->tables.resize(new_groups.size());
  progress->left = static_cast<int>(new_groups.size());
  std::shared_ptr<state::Restorer> restorer;
  if (needs_restore) restorer = std::make_shared<state::Restorer>(std::move(options));
  const uint64_t version = message.version();

  for (size_t slot = 0; slot < new_groups.size(); ++slot) {
    auto& tables = progress->tables[slot];
    for (const StatefulOperator& op : job_->plan->stateful) {
      for (uint32_t group : new_groups[slot]) {
        tables.push_back({op.operator_id, group, table_maker_->MakeTable(op.operator_id)});
      }
    }
  }
  if (restorer == nullptr || job_->plan->stateful.empty()) {
    FinishAssign(version, std::move(assignment), arrow::Status::OK(), std::move(progress->tables),
                 0);
    return;
  }
  for (size_t slot = 0; slot < new_groups.size(); ++slot) {
    environment_.io->Post([self = shared_from_this(), assignment, progress, restorer, slot, version,
                           groups = std::move(new_groups[slot])] {
      auto& tables = progress->tables[slot];
      auto restored = restorer->Restore(
          groups, [&tables](int32_t operator_id, uint32_t group) -> state::HotTable* {
            for (RestoredTable& entry : tables) {
              if (entry.operator_id == operator_id && entry.key_group == group)
                return entry.table.get();
            }
            return nullptr;
          });
      self->environment_.executor->Post([self, assignment, progress, restored, version] {
        if (!restored.ok()) progress->status = restored.status();
        if (restored.ok()) progress->rows += restored->rows;
        if (--progress->left > 0) return;
        self->FinishAssign(version, assignment, progress->status, std::move(progress->tables),
                           progress->rows);
      });
    });
  }
}

void JobOnWorker::FinishAssign(uint64_t version, std::shared_ptr<const Assignment> assignment,
                               arrow::Status status, std::vector<std::vector<RestoredTable>> tables,
                               int64_t restored_rows) {
  if (!status.ok()) return SendAssigned(version, status, 0);
  assignment_ = assignment;
  // The answer waits for the slots: one that does not have the job yet would drop what the others
  // send to it in the first epoch.
  auto left = std::make_shared<size_t>(tables.size());  // touched on the worker's thread only
  for (size_t slot = 0; slot < tables.size(); ++slot) {
    auto done = [self = shared_from_this(), left, version, restored_rows] {
      self->environment_.executor->Post([self, left, version, restored_rows] {
        if (--*left == 0) self->SendAssigned(version, arrow::Status::OK(), restored_rows);
      });
    };
    environment_.slots[slot]->Assign(job_->job, assignment, own_slots_[slot],
                                     std::move(tables[slot]), std::move(done));
  }
}

void JobOnWorker::SendAssigned(uint64_t version, const arrow::Status& status,
                               int64_t restored_rows) {
  proto::ToDriver message;
  proto::Assigned* assigned = message.mutable_assigned();
  assigned->set_job(job_->job);
  assigned->set_version(version);
  assigned->set_restored_rows(restored_rows);
  if (!status.ok()) {
    WriteError(WithContext(status, fmt::format("restore state: job={}", job_->job)),
               assigned->mutable_error());
  }
  Send(std::move(message));
}

void JobOnWorker::RunEpoch(const proto::RunEpoch& message, uint64_t term) {
  auto task = ReadRunEpoch(message, term);
  if (assignment_ == nullptr || message.assignment_version() != assignment_->version) {
    SendFailed(task->id, MakeError(ErrorKind::kBug, "ASSIGNMENT_UNKNOWN",
                                   fmt::format("epoch for another assignment: want={} got={}",
                                               assignment_ == nullptr ? 0 : assignment_->version,
                                               message.assignment_version())));
    return;
  }
  const bool capture = NoteCommitted(task->committed_epoch, task->committed_attempt);
  open_ = std::make_unique<OpenAttempt>();
  open_->id = task->id;
  open_->started_us = SteadyMicros();
  open_->prepared.mutable_source_rows()->Resize(static_cast<int>(job_->plan->sources.size()), 0);
  for (size_t slot = 0; slot < own_slots_.size(); ++slot) {
    if (own_slots_[slot] < 0) continue;
    ++open_->slots_computing;
    environment_.slots[slot]->RunEpoch(task, capture);
  }
}

void JobOnWorker::Commit(int64_t epoch, uint64_t attempt) {
  const bool capture = NoteCommitted(epoch, attempt);
  for (size_t slot = 0; slot < own_slots_.size(); ++slot) {
    if (own_slots_[slot] >= 0) environment_.slots[slot]->Commit(job_->job, epoch, attempt, capture);
  }
}

bool JobOnWorker::NoteCommitted(int64_t epoch, uint64_t attempt) {
  if (epoch <= committed_epoch_) return false;
  committed_epoch_ = epoch;
  if (prepared_.epoch != epoch || prepared_.attempt != attempt) return false;
  keeper_->OnCommitted(std::exchange(prepared_changelog_bytes_, 0), prepared_state_bytes_);
  if (!keeper_->ShouldCapture()) return false;
  keeper_->BeginCapture();
  captured_epoch_ = epoch;
  captured_.clear();
  slots_capturing_ = static_cast<int>(
      std::count_if(own_slots_.begin(), own_slots_.end(), [](int i) { return i >= 0; }));
  return slots_capturing_ > 0;
}

void JobOnWorker::Abort() {
  open_.reset();
  for (size_t slot = 0; slot < own_slots_.size(); ++slot) {
    if (own_slots_[slot] >= 0) environment_.slots[slot]->Abort(job_->job, [] {});
  }
}

void JobOnWorker::OnComputed(SlotReport report) {
  if (!IsOpen(report.id)) return;
  proto::Prepared& prepared = open_->prepared;
  for (size_t source = 0; source < report.source_rows.size(); ++source) {
    prepared.set_source_rows(source, prepared.source_rows(source) + report.source_rows[source]);
  }
  prepared.set_output_rows(prepared.output_rows() + report.output_rows);
  for (size_t i = 0; i < report.operators.size(); ++i) {
    const OperatorReport& from = report.operators[i];
    if (prepared.operators_size() <= static_cast<int>(i)) prepared.add_operators();
    proto::OperatorProgress* to = prepared.mutable_operators(static_cast<int>(i));
    to->set_operator_id(from.operator_id);
    to->set_name(from.name);
    to->set_rows_total(to->rows_total() + from.rows_total);
    to->set_rows_updated(to->rows_updated() + from.rows_updated);
    to->set_memory_bytes(to->memory_bytes() + from.memory_bytes);
  }
  if (report.has_writer) ++open_->slots_staging;
  open_->changes.push_back(std::move(report.changes));
  if (--open_->slots_computing == 0) WriteChangelog();
}

void JobOnWorker::WriteChangelog() {
  open_->computed_us = SteadyMicros();
  open_->prepared.set_compute_us(open_->computed_us - open_->started_us);
  auto changes =
      std::make_shared<const std::vector<state::ChangelogSections>>(std::move(open_->changes));
  keeper_->Append(open_->id.epoch, std::move(changes),
                  [self = shared_from_this(),
                   id = open_->id](arrow::Result<std::vector<state::Extent>> extents) {
                    self->environment_.executor->Post([self, id, extents = std::move(extents)] {
                      self->OnChangelogWritten(id, extents);
                    });
                  });
}

void JobOnWorker::OnChangelogWritten(const AttemptId& id,
                                     arrow::Result<std::vector<state::Extent>> extents) {
  if (!IsOpen(id)) return;
  if (!extents.ok()) {
    SendFailed(id, WithContext(extents.status(), "write changelog"));
    return;
  }
  for (const state::Extent& extent : *extents) WriteExtent(extent, open_->prepared.add_extents());
  open_->prepared.set_changelog_us(SteadyMicros() - open_->computed_us);
  open_->is_changelog_durable = true;
  MaybeSendPrepared();
}

void JobOnWorker::OnStaged(const AttemptId& id, arrow::Result<connectors::StagedOutput> staged) {
  if (!IsOpen(id)) return;
  if (!staged.ok()) {
    SendFailed(id, WithContext(staged.status(), "stage output"));
    return;
  }
  --open_->slots_staging;
  WriteStagedOutput(*std::move(staged), open_->prepared.add_outputs());
  MaybeSendPrepared();
}

void JobOnWorker::MaybeSendPrepared() {
  if (!open_->is_changelog_durable || open_->slots_staging > 0) return;
  Failpoint("worker.prepared");
  prepared_ = open_->id;
  prepared_changelog_bytes_ = 0;
  prepared_state_bytes_ = 0;
  for (const proto::Extent& extent : open_->prepared.extents())
    prepared_changelog_bytes_ += extent.length();
  for (const proto::OperatorProgress& op : open_->prepared.operators())
    prepared_state_bytes_ += op.memory_bytes();
  proto::ToDriver message;
  *message.mutable_prepared() = std::move(open_->prepared);
  message.mutable_prepared()->set_job(job_->job);
  message.mutable_prepared()->set_epoch(open_->id.epoch);
  message.mutable_prepared()->set_attempt(open_->id.attempt);
  open_.reset();
  Send(std::move(message));
}

void JobOnWorker::OnFailed(const AttemptId& id, const arrow::Status& error) {
  if (id.epoch < 0 || IsOpen(id)) SendFailed(id, error);
}

void JobOnWorker::SendFailed(const AttemptId& id, const arrow::Status& error) {
  open_.reset();
  proto::ToDriver message;
  proto::Failed* failed = message.mutable_failed();
  failed->set_job(job_->job);
  failed->set_epoch(id.epoch);
  failed->set_attempt(id.attempt);
  WriteError(error, failed->mutable_error());
  Send(std::move(message));
}

void JobOnWorker::OnCaptured(std::unique_ptr<state::FlushBatch> batch) {
  if (slots_capturing_ == 0) return;  // Asked for by the deployment before this one.
  captured_.push_back(std::move(batch));
  if (--slots_capturing_ > 0) return;
  auto batches =
      std::make_shared<const std::vector<std::unique_ptr<state::FlushBatch>>>(std::move(captured_));
  captured_.clear();
  keeper_->TakeSnapshot(
      captured_epoch_, std::move(batches),
      [self = shared_from_this()](arrow::Result<state::Snapshot> snapshot) {
        self->environment_.executor->Post([self, snapshot = std::move(snapshot)] {
          self->keeper_->EndCapture();
          if (!snapshot.ok()) {
            // The captured rows are lost to the tier: only a restart from the checkpoint makes it
            // whole.
            self->SendFailed(self->open_ != nullptr ? self->open_->id : self->prepared_,
                             WithContext(snapshot.status(), "take snapshot"));
            return;
          }
          LogInfo("snapshot_taken").With("job", self->job_->job).With("epoch", snapshot->epoch);
          proto::ToDriver message;
          message.mutable_snapshot_done()->set_job(self->job_->job);
          WriteSnapshot(*snapshot, message.mutable_snapshot_done()->mutable_snapshot());
          self->Send(std::move(message));
        });
      });
}

void JobOnWorker::Send(proto::ToDriver message) {
  message.set_worker(environment_.worker);
  message.set_incarnation(environment_.incarnation);
  environment_.stream->Send(std::move(message));
}

}  // namespace tidemill::worker
