// How a job on a worker comes to its tables: Assign, and WarmUp before it.
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/logging.h"
#include "worker/job_on_worker.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

namespace {

// Of the I/O pool, which changelogs and sources of the epochs that go on need too.
constexpr int kWarmUpThreads = 2;

std::vector<uint32_t> Flatten(const std::vector<std::vector<uint32_t>>& groups_by_slot) {
  std::vector<uint32_t> groups;
  for (const auto& of_slot : groups_by_slot)
    groups.insert(groups.end(), of_slot.begin(), of_slot.end());
  return groups;
}

}  // namespace

// Tables that stay must hold what the others are restored to.
arrow::Status JobOnWorker::CheckKept(const proto::Assign& message, const Ownership& next) const {
  if (unsettled_.has_value())
    return AssignmentError(
        fmt::format("an attempt is neither committed nor undone: epoch={} "
                    "attempt={}",
                    unsettled_->epoch, unsettled_->attempt));
  if (committed_epoch_ == message.committed_epoch() || job_->plan->stateful.empty())
    return arrow::Status::OK();
  for (size_t slot = 0; slot < next.groups.size(); ++slot) {
    if (Without(own_.groups[slot], next.groups[slot]).size() < own_.groups[slot].size())
      return AssignmentError(fmt::format("tables are not those of the last commit: want={} got={}",
                                         message.committed_epoch(), committed_epoch_));
  }
  return arrow::Status::OK();
}

RestoreRequest JobOnWorker::MakeRequest(const proto::Assign& message, const Ownership& next) {
  RestoreRequest request;
  request.from.fs = environment_.fs;
  request.from.state_dir = keeper_options_.state_dir;
  request.from.scratch_dir =
      JoinPath(JoinPath(environment_.data_dir, job_->job),
               fmt::format("restore-{}-{}", environment_.incarnation, environment_.next_number()));
  for (const proto::Snapshot& snapshot : message.snapshots())
    request.from.snapshots.push_back(ReadSnapshot(snapshot));
  for (const proto::Extent& extent : message.extents())
    request.from.extents.push_back(ReadExtent(extent));
  request.from.committed_epoch = message.committed_epoch();
  request.from.kept = environment_.kept;
  for (size_t slot = 0; slot < next.groups.size(); ++slot)
    request.groups.push_back(Without(next.groups[slot], own_.groups[slot]));
  history_.Restored(Flatten(request.groups), request.from.snapshots, request.from.extents,
                    request.from.committed_epoch);
  request.warm = std::move(warm_);
  SetWarm({}, 0);
  request.tables = table_maker_;
  request.memory_bytes = memory_->can_evict() ? memory_->restore_bytes() : 0;
  request.on_progress = [weak = weak_from_this(), number = message.version()](
                            int64_t key_groups, const state::Restorer::Progress& read) {
    if (const auto self = weak.lock()) self->SendRestoring(number, key_groups, read);
  };
  request.io = environment_.io;
  request.executor = environment_.executor;
  return request;
}

void JobOnWorker::Assign(const proto::Assign& message) {
  // A restore that flushes, too, must not meet what was captured before it.
  if (!is_shared_ || (capture_ != 0 && memory_->can_evict())) {
    waiting_assign_ = message;
    return;
  }
  restoring_ = unanswered_ = message.version();
  warming_ = 0;
  auto next =
      ReadOwnership(message, environment_.worker, environment_.slots.size(), job_->num_key_groups);
  const arrow::Status usable = next.ok() ? CheckKept(message, *next) : next.status();
  if (!usable.ok()) {
    restoring_ = 0;
    return SendAssigned(message.version(), usable, 0);
  }
  std::vector<ExchangePeer> peers;
  for (const proto::WorkerAddress& peer : message.workers()) {
    if (peer.worker() != environment_.worker)
      peers.push_back({peer.worker(), peer.incarnation(), peer.exchange_address()});
  }
  environment_.network->SetPeers(job_->job, std::move(peers));
  RestoreRequest request = MakeRequest(message, *next);
  if (memory_->can_evict()) {
    request.spill = keeper_->BeginRestore(Flatten(request.groups));
  }
  RestoreTables(std::move(request),
                [self = shared_from_this(), next = *next,
                 committed_epoch = message.committed_epoch()](RestoredTables restored) mutable {
                  self->OnRestored(std::move(next), committed_epoch, std::move(restored));
                });
}

void JobOnWorker::WarmUp(const proto::WarmUp& message) {
  if (!is_shared_) {
    waiting_warm_up_ = message;
    return;
  }
  const uint64_t number = message.next().version();
  const auto next = ReadOwnership(message.next(), environment_.worker, environment_.slots.size(),
                                  job_->num_key_groups);
  if (!next.ok() || restoring_ != 0) {
    return SendWarmedUp(number,
                        next.ok() ? AssignmentError("an Assign is under way") : next.status(), 0);
  }
  RestoreRequest request = MakeRequest(message.next(), *next);
  request.max_parallel = kWarmUpThreads;
  if (memory_->can_evict()) {
    request.spill = [](const state::FlushBatch&) {
      return MakeError(ErrorKind::kResource, "WARM_UP_TOO_LARGE", "no memory beside the job's own");
    };
  }
  warming_ = environment_.next_number();
  RestoreTables(std::move(request),
                [self = shared_from_this(), number, warming = warming_,
                 epoch = message.next().committed_epoch()](RestoredTables restored) mutable {
                  self->OnWarm(number, warming, epoch, std::move(restored));
                });
}

void JobOnWorker::OnWarm(uint64_t number, uint64_t warming, int64_t epoch,
                         RestoredTables restored) {
  if (warming_ != warming) return;  // An Assign has come, or another driver.
  warming_ = 0;
  Failpoint("worker.warmed_up");
  if (restored.status.ok()) SetWarm({epoch, std::move(restored.tables)}, restored.memory_bytes);
  SendWarmedUp(number, restored.status, restored.rows);
}

void JobOnWorker::SetWarm(WarmTables warm, int64_t bytes) {
  warm_ = std::move(warm);
  memory_->SetWarm(bytes);
}

void JobOnWorker::SendRestoring(uint64_t number, int64_t key_groups,
                                const state::Restorer::Progress& read) {
  if (restoring_ != number && warming_ == 0) return;  // Nobody waits for it any more.
  proto::ToDriver message;
  proto::Restoring* restoring = message.mutable_restoring();
  restoring->set_job(job_->job);
  restoring->set_number(number);
  restoring->set_is_ahead(restoring_ != number);
  restoring->set_key_groups(key_groups);
  restoring->set_key_groups_read(read.key_groups);
  restoring->set_rows(read.rows);
  Send(std::move(message));
}

void JobOnWorker::SendWarmedUp(uint64_t number, const arrow::Status& status, int64_t rows) {
  proto::ToDriver message;
  proto::WarmedUp* warmed = message.mutable_warmed_up();
  warmed->set_job(job_->job);
  warmed->set_number(number);
  warmed->set_rows(rows);
  if (!status.ok()) WriteError(status, warmed->mutable_error());
  Send(std::move(message));
}

void JobOnWorker::OnRestored(Ownership next, int64_t committed_epoch, RestoredTables restored) {
  const uint64_t version = next.assignment->version;
  if (restoring_ != version) return;  // A newer Assign, or another driver.
  restoring_ = 0;
  if (!restored.status.ok()) return SendAssigned(version, restored.status, 0);
  for (size_t slot = 0; slot < next.groups.size(); ++slot)
    keeper_->DropKeyGroups(Without(own_.groups[slot], next.groups[slot]));
  own_ = std::move(next);
  committed_epoch_ = committed_epoch;
  has_cold_rows_ |= restored.cold_rows > 0;
  if (restored.rows > 0) {
    LogInfo("tables_restored")
        .With("job", job_->job)
        .With("rows", restored.rows)
        .With("kept_rows", restored.kept_rows)
        .With("snapshot_rows", restored.snapshot_rows)
        .With("changelog_rows", restored.changelog_rows);
  }
  if (OwnsKeyGroups()) DropKept();
  memory_->Set(memory_->bytes() + restored.memory_bytes,
               memory_->evictable_bytes() + restored.evictable_bytes);
  // The answer waits for the slots: one that does not have the job yet would drop what the others
  // send to it in the first epoch.
  auto left = std::make_shared<size_t>(environment_.slots.size());  // the worker's thread only
  for (size_t slot = 0; slot < environment_.slots.size(); ++slot) {
    auto done = [self = shared_from_this(), left, version, rows = restored.rows] {
      self->environment_.executor->Post([self, left, version, rows] {
        if (--*left == 0) self->SendAssigned(version, arrow::Status::OK(), rows);
      });
    };
    environment_.slots[slot]->Assign(job_->job, own_.assignment, own_.slot_index[slot],
                                     std::move(restored.tables[slot]), std::move(done));
  }
}

void JobOnWorker::SendAssigned(uint64_t version, const arrow::Status& status,
                               int64_t restored_rows) {
  if (unanswered_ != version) return;
  unanswered_ = 0;
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

void JobOnWorker::ForgetRestores() {
  waiting_assign_.reset();
  waiting_warm_up_.reset();
  restoring_ = unanswered_ = warming_ = 0;
  SetWarm({}, 0);
}

}  // namespace tidemill::worker
