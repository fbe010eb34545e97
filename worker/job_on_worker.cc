#include "worker/job_on_worker.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/logging.h"
#include "worker/rpc/messages.h"
#include "worker/shared_files.h"

namespace tidemill::worker {

namespace {

int64_t SteadyMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

arrow::Result<std::shared_ptr<JobOnWorker>> JobOnWorker::Deploy(
    const proto::Deploy& message, Environment environment, std::shared_ptr<DriverStream> stream) {
  auto job = std::shared_ptr<JobOnWorker>(new JobOnWorker(std::move(environment)));
  const Environment& env = job->environment_;
  ARROW_ASSIGN_OR_RAISE(auto plan, ReadPlan(message.plan(), message.job(), message.job_name()));
  auto deployed = std::make_shared<DeployedJob>();
  deployed->job = message.job();
  deployed->plan = plan;
  deployed->num_key_groups = static_cast<int>(message.key_groups());
  deployed->is_durable = message.is_durable();
  if (const std::string& name = message.changelog_codec(); !name.empty()) {
    const auto codec = state::ChangelogCodecOf(name);
    if (!codec) {
      return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                       fmt::format("unknown codec of the changelog: codec={}", name));
    }
    deployed->changelog_codec = *codec;
  }
  job->job_ = deployed;
  job->stream_ = std::move(stream);
  job->plan_fingerprint_ = message.plan_fingerprint();
  job->memory_ = std::make_unique<StateMemory>(env.memory, message.memory_bytes(), plan->stateful);
  ARROW_ASSIGN_OR_RAISE(job->table_maker_,
                        OperatorStates::Make(plan->stateful, deployed->num_key_groups));

  StateKeeper::Options& options = job->keeper_options_;
  options.fs = env.fs;
  options.io = env.io;
  options.state_dir = JoinPath(message.checkpoint(), "state");
  options.worker = env.worker;
  for (const StatefulOperator& op : plan->stateful) {
    if (!op.is_ephemeral) options.operators.push_back(op.operator_id);
  }
  options.is_durable = message.is_durable();
  if (message.snapshot_min_bytes() > 0) options.policy.min_bytes = message.snapshot_min_bytes();
  if (message.snapshot_ratio() > 0) options.policy.state_ratio = message.snapshot_ratio();
  job->MakeKeeper(false);

  job->newest_ = {message.job(), -1, 0};
  job->own_.slot_index.assign(env.slots.size(), -1);
  job->own_.groups.resize(env.slots.size());
  for (const auto& slot : env.slots) slot->Deploy(deployed);
  return job;
}

void JobOnWorker::MakeKeeper(bool takes_tier) {
  StateKeeper::Options options = keeper_options_;
  options.incarnation = fmt::format("{}.{}", environment_.incarnation, environment_.next_number());
  options.local_dir = JoinPath(JoinPath(environment_.data_dir, job_->job),
                               fmt::format("{}-{}", environment_.worker, options.incarnation));
  auto keeper = std::make_unique<StateKeeper>(std::move(options));
  if (keeper_ != nullptr) keeper->ContinueFrom(keeper_.get(), takes_tier);
  keeper_ = std::move(keeper);
  if (takes_tier) return;
  disk_bytes_.clear();
  memory_->SetTier(0);
  memory_->SetCaptured(0);
}

void JobOnWorker::CheckShared(const proto::Deploy& message,
                              std::function<void(const arrow::Status&)> done) {
  const SharedFilesCheck check{environment_.fs, environment_.io, environment_.executor,
                               environment_.worker};
  CheckSharedFiles(check, ReadSharedFiles(message),
                   [self = shared_from_this(), done = std::move(done)](const arrow::Status& seen) {
                     if (self->stream_ == nullptr) return;
                     self->is_shared_ = seen.ok();
                     done(seen);
                     if (!seen.ok()) return;
                     if (auto warm_up = std::exchange(self->waiting_warm_up_, std::nullopt))
                       self->WarmUp(*warm_up);
                     if (auto assign = std::exchange(self->waiting_assign_, std::nullopt))
                       self->Assign(*assign);
                   });
}

void JobOnWorker::Undeploy() {
  stream_ = nullptr;
  ForgetRestores();
  open_.reset();
  unsettled_.reset();
  capture_ = eviction_ = 0;
  evict_to_.reset();
  memory_->Set(0, 0);
  environment_.network->SetPeers(job_->job, {});
  for (const auto& slot : environment_.slots) slot->Undeploy(job_->job);
}

bool JobOnWorker::Detach() {
  stream_ = nullptr;
  ForgetRestores();
  // Nobody waits for it, and what it waits for may not begin any more (CanBeAdopted).
  if (open_ != nullptr && open_->waiting != nullptr) open_.reset();
  return is_shared_ && !has_bad_slot_;
}

proto::JobReport JobOnWorker::Report() const {
  proto::JobReport report;
  report.set_job(job_->job);
  report.set_plan_fingerprint(plan_fingerprint_);
  report.set_committed_epoch(committed_epoch_);
  report.set_open_epoch(unsettled_.has_value() ? unsettled_->epoch : -1);
  report.set_open_attempt(unsettled_.has_value() ? unsettled_->attempt : 0);
  report.set_is_prepared(is_prepared_);
  report.mutable_key_group_slot()->Resize(job_->num_key_groups, -1);
  for (size_t slot = 0; slot < own_.groups.size(); ++slot) {
    for (const uint32_t group : own_.groups[slot])
      report.set_key_group_slot(static_cast<int>(group), static_cast<int>(slot));
  }
  return report;
}

void JobOnWorker::Adopt(const proto::Adopt& message, std::shared_ptr<DriverStream> stream) {
  stream_ = std::move(stream);
  ForgetRestores();
  open_.reset();
  const bool keeps_tier = capture_ == 0;
  TIDEMILL_CHECK(keeps_tier || !has_cold_rows_);
  capture_ = 0;
  evict_to_.reset();
  const bool is_committed =
      is_prepared_ && IsUnsettled(message.committed_epoch(), message.committed_attempt());
  if (is_committed) NoteCommitted();
  unsettled_.reset();
  is_prepared_ = false;
  MakeKeeper(keeps_tier);
  for (const auto& slot : environment_.slots) {
    slot->Adopt(job_->job, is_committed ? message.committed_epoch() : -1,
                is_committed ? message.committed_attempt() : 0, !keeps_tier);
  }
  LogInfo("job_adopted")
      .With("job", job_->job)
      .With("committed", committed_epoch_)
      .With("commits_open", is_committed);
}

void JobOnWorker::RunEpoch(const proto::RunEpoch& message, uint64_t term) {
  auto task = ReadRunEpoch(message, term);
  const uint64_t version = own_.assignment == nullptr ? 0 : own_.assignment->version;
  if (version == 0 || restoring_ != 0 || message.assignment_version() != version) {
    return SendFailed(task->id, MakeError(ErrorKind::kBug, "ASSIGNMENT_UNKNOWN",
                                          fmt::format("epoch for another assignment: want={} "
                                                      "got={}",
                                                      version, message.assignment_version())));
  }
  const bool commits = is_prepared_ && IsUnsettled(task->committed_epoch, task->committed_attempt);
  if (!commits && committed_epoch_ != task->committed_epoch) {
    return SendFailed(task->id, MakeError(ErrorKind::kBug, "EPOCH_STATE",
                                          fmt::format("epoch on another state: want={} got={}",
                                                      committed_epoch_, task->committed_epoch)));
  }
  if (commits) NoteCommitted();
  newest_ = task->id;
  unsettled_ = task->id;
  is_prepared_ = false;
  open_ = std::make_unique<OpenAttempt>();
  open_->id = task->id;
  open_->started_us = SteadyMicros();
  open_->prepared.mutable_source_rows()->Resize(static_cast<int>(job_->plan->sources.size()), 0);
  if (evict_to_ == nullptr && eviction_ == 0 && !memory_->is_full())
    return StartSlots(std::move(task), commits ? BeginCapture() : 0);
  ForOwnSlots([&](Slot* slot) {
    slot->Commit(job_->job, task->committed_epoch, task->committed_attempt, 0);
  });
  open_->waiting = std::move(task);
  MakeRoom();
}

void JobOnWorker::StartSlots(std::shared_ptr<const EpochTask> task, uint64_t capture) {
  ForOwnSlots([&](Slot* slot) {
    ++open_->slots_computing;
    slot->RunEpoch(task, capture);
  });
  if (open_->slots_computing == 0) WriteChangelog();
}

void JobOnWorker::MakeRoom() {
  if (eviction_ != 0) return;  // OnEvicted comes back here.
  if (evict_to_ != nullptr) return BeginEviction();
  if (open_ == nullptr || open_->waiting == nullptr) return;
  const uint64_t capture = BeginCapture();
  // What two evictions have not given back is not to be had.
  if (capture_ == 0 || !memory_->is_full() || open_->evictions >= 2)
    return StartSlots(std::exchange(open_->waiting, nullptr), capture);
  if (capture == 0) return;  // OnFlushed comes back here.
  ForOwnSlots([&](Slot* slot) { slot->Commit(job_->job, committed_epoch_, 0, capture); });
}

void JobOnWorker::BeginEviction() {
  auto eviction = std::make_shared<Eviction>();
  eviction->number = eviction_ = environment_.next_number();
  eviction->kept_share = memory_->kept_share();
  eviction->tier = std::exchange(evict_to_, nullptr);
  slots_evicting_ = 0;
  evicted_ = {};
  has_cold_rows_ = true;
  eviction->cold_bytes = memory_->cold_bytes() / std::max(CountOwnSlots(), 1);
  ForOwnSlots([&](Slot* slot) {
    ++slots_evicting_;
    slot->Evict(job_->job, eviction);
  });
  if (slots_evicting_ > 0) return;
  eviction_ = 0;
  MakeRoom();
}

void JobOnWorker::OnEvicted(const EvictionReport& report) {
  if (report.number != eviction_) return;
  evicted_.memory_bytes += report.memory_bytes;
  evicted_.evictable_bytes += report.evictable_bytes;
  evicted_.cold_rows += report.cold_rows;
  if (--slots_evicting_ > 0) return;
  eviction_ = 0;
  LogInfo("state_evicted")
      .With("job", job_->job)
      .With("cold_rows", evicted_.cold_rows)
      .With("bytes_before", memory_->bytes())
      .With("bytes", evicted_.memory_bytes);
  memory_->Set(evicted_.memory_bytes, evicted_.evictable_bytes);
  if (open_ != nullptr && open_->waiting != nullptr) ++open_->evictions;
  environment_.io->Post([] { (void)::malloc_trim(0); });  // what the slots have freed in pieces
  MakeRoom();
}

void JobOnWorker::Commit(int64_t epoch, uint64_t attempt) {
  if (epoch <= committed_epoch_) return;
  if (!is_prepared_ || !IsUnsettled(epoch, attempt)) {
    LogWarn("commit_unknown").With("job", job_->job).With("epoch", epoch).With("attempt", attempt);
    return;
  }
  NoteCommitted();
  const uint64_t capture = BeginCapture();
  ForOwnSlots([&](Slot* slot) { slot->Commit(job_->job, epoch, attempt, capture); });
  MakeRoom();
}

void JobOnWorker::NoteCommitted() {
  committed_epoch_ = unsettled_->epoch;
  unsettled_.reset();
  is_prepared_ = false;
  int64_t bytes = 0;
  for (const auto& extent : prepared_extents_) {
    bytes += extent->length;
    history_.Changed(extent);
  }
  prepared_extents_.clear();
  keeper_->OnCommitted(bytes, memory_->bytes());
}

uint64_t JobOnWorker::BeginCapture() {
  // What is captured before an eviction that is due would be taken for flushed.
  if (CountOwnSlots() == 0 || evict_to_ != nullptr || keeper_->is_capturing()) return 0;
  const bool is_for_snapshot = keeper_->ShouldSnapshot();
  if (!is_for_snapshot && !memory_->wants_flush()) return 0;
  return StartCapture(is_for_snapshot);
}

uint64_t JobOnWorker::StartCapture(bool is_for_snapshot) {
  keeper_->BeginCapture(is_for_snapshot);
  capture_ = environment_.next_number();
  captured_epoch_ = committed_epoch_;
  captured_.clear();
  captured_bytes_ = 0;
  slots_capturing_ = CountOwnSlots();
  return capture_;
}

void JobOnWorker::Abort(int64_t epoch, uint64_t attempt) {
  if (!IsUnsettled(epoch, attempt)) return;
  open_.reset();
  unsettled_.reset();
  is_prepared_ = false;
  ForOwnSlots([&](Slot* slot) { slot->Abort(job_->job, [] {}); });
}

void JobOnWorker::OnComputed(SlotReport report) {
  if (!IsOpen(report.id)) return;
  proto::Prepared& prepared = open_->prepared;
  AddSlotReport(report, &prepared);
  for (const EventTimeStats& stats : report.event_times) {
    open_->event_times[stats.watermark].watermark = stats.watermark;
    open_->event_times[stats.watermark].Add(stats);
  }
  if (report.has_writer) ++open_->slots_staging;
  open_->changes.push_back(std::move(report.changes));
  if (--open_->slots_computing > 0) return;
  std::vector<StateMemory::Use> uses;
  for (const proto::OperatorProgress& op : prepared.operators())
    uses.push_back({op.operator_id(), op.name(), op.memory_bytes(), ColdBytesOf(op)});
  const arrow::Status fits = memory_->Update(environment_.worker, uses);
  if (!fits.ok()) return SendFailed(open_->id, fits);
  WriteChangelog();
}

void JobOnWorker::WriteChangelog() {
  open_->computed_us = SteadyMicros();
  open_->prepared.set_compute_us(open_->computed_us - open_->started_us);
  for (const auto& [watermark, stats] : open_->event_times)
    WriteEventTime(watermark, stats, open_->prepared.add_event_times());
  const auto changes =
      std::make_shared<const std::vector<state::ChangelogSections>>(std::move(open_->changes));
  keeper_->Append(open_->id.epoch, changes,
                  [self = shared_from_this(),
                   id = open_->id](arrow::Result<std::vector<state::Extent>> extents) {
                    self->environment_.check_fatal(extents.status());
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
  prepared_extents_.clear();
  for (state::Extent& extent : *extents) {
    WriteExtent(extent, open_->prepared.add_extents());
    prepared_extents_.push_back(std::make_shared<const state::Extent>(std::move(extent)));
  }
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
  is_prepared_ = true;
  for (proto::OperatorProgress& op : *open_->prepared.mutable_operators()) {
    const auto on_disk = disk_bytes_.find(op.operator_id());
    if (on_disk != disk_bytes_.end() && on_disk->second > 0)
      (*op.mutable_custom())["diskBytes"] = on_disk->second;
  }
  proto::ToDriver message;
  *message.mutable_prepared() = std::move(open_->prepared);
  message.mutable_prepared()->set_job(job_->job);
  message.mutable_prepared()->set_epoch(open_->id.epoch);
  message.mutable_prepared()->set_attempt(open_->id.attempt);
  open_.reset();
  Send(std::move(message));
}

void JobOnWorker::OnFailed(const AttemptId& id, const arrow::Status& error) {
  if (id.epoch < 0) has_bad_slot_ = true;
  if (id.epoch < 0 || IsOpen(id)) SendFailed(id, error);
}

void JobOnWorker::OnBroken(const AttemptId& id, const arrow::Status& why) {
  if (!IsUnsettled(id.epoch, id.attempt) || (open_ == nullptr && !is_prepared_)) return;
  LogWarn("attempt_broken")
      .With("job", id.job)
      .With("epoch", id.epoch)
      .With("attempt", id.attempt)
      .With("why", why.message());
  // A prepared one may be committed all the same: then the driver has what it needs of it.
  SendFailed(id, WithContext(why, "exchange between workers"));
}

void JobOnWorker::SendFailed(const AttemptId& id, const arrow::Status& error) {
  proto::ToDriver message;
  proto::Failed* failed = message.mutable_failed();
  failed->set_job(job_->job);
  failed->set_epoch(id.epoch);
  failed->set_attempt(id.attempt);
  WriteError(error, failed->mutable_error());
  open_.reset();  // `id` may be its.
  Send(std::move(message));
}

void JobOnWorker::OnCaptured(uint64_t capture, std::unique_ptr<state::FlushBatch> batch) {
  if (capture != capture_) return;  // Asked for by the deployment or the driver before this one.
  captured_bytes_ += batch->memory_bytes();
  memory_->SetCaptured(captured_bytes_);
  captured_.push_back(std::move(batch));
  if (--slots_capturing_ > 0) return;
  auto batches =
      std::make_shared<const std::vector<std::unique_ptr<state::FlushBatch>>>(std::move(captured_));
  captured_.clear();
  if (is_captured_to_keep_) return KeepCaptured(std::move(batches));
  keeper_->Flush(captured_epoch_, std::move(batches),
                 [self = shared_from_this(), capture](arrow::Result<StateKeeper::Flushed> flushed) {
                   self->environment_.check_fatal(flushed.status());
                   self->environment_.executor->Post([self, capture, flushed = std::move(flushed)] {
                     self->OnFlushed(capture, flushed);
                   });
                 });
}

void JobOnWorker::OnFlushed(uint64_t capture, const arrow::Result<StateKeeper::Flushed>& flushed) {
  if (capture != capture_) return;  // Its keeper is gone.
  // The next driver's keeper begins anew.
  if (!flushed.ok() && stream_ == nullptr && !on_kept_) return;
  capture_ = 0;
  keeper_->EndCapture(/*counts=*/stream_ != nullptr);
  memory_->SetCaptured(0);
  if (on_kept_) return flushed.ok() ? CaptureToKeep() : EndKeeping(flushed.status());
  if (!flushed.ok()) {
    // The captured rows are lost to the tier: only a restart from the checkpoint makes it whole.
    SendFailed(newest_, WithContext(flushed.status(), "flush state"));
  } else if (flushed->snapshot.has_value()) {
    history_.TookSnapshot(flushed->snapshot->id);
    LogInfo("snapshot_taken").With("job", job_->job).With("epoch", flushed->snapshot->epoch);
    proto::ToDriver message;
    message.mutable_snapshot_done()->set_job(job_->job);
    WriteSnapshot(*flushed->snapshot, message.mutable_snapshot_done()->mutable_snapshot());
    Send(std::move(message));
  }
  if (flushed.ok() && memory_->can_evict()) memory_->SetTier(flushed->tier->memory_bytes());
  if (flushed.ok()) {
    for (const int32_t id : keeper_options_.operators)
      disk_bytes_[id] = flushed->tier->disk_bytes(id);
  }
  if (flushed.ok() && (memory_->wants_eviction() || has_cold_rows_)) evict_to_ = flushed->tier;
  if (IsSettled()) MakeRoom();
  if (auto assign = std::exchange(waiting_assign_, std::nullopt)) Assign(*assign);
}

void JobOnWorker::Send(proto::ToDriver message) {
  if (stream_ == nullptr) return;
  message.set_worker(environment_.worker);
  message.set_incarnation(environment_.incarnation);
  message.set_job(job_->job);
  stream_->Send(std::move(message));
}

}  // namespace tidemill::worker
