// What a job leaves on the local disk when its worker ends in order.
#include <utility>

#include "common/base/logging.h"
#include "worker/job_on_worker.h"

namespace tidemill::worker {

void JobOnWorker::Keep(std::function<void()> done) {
  stream_ = nullptr;
  ForgetRestores();
  const bool has_tables = !keeper_options_.operators.empty() && OwnsKeyGroups();
  if (!has_tables || environment_.kept_path.empty() || !job_->is_durable || committed_epoch_ < 0 ||
      has_bad_slot_)
    return done();
  on_kept_ = std::move(done);
  evict_to_.reset();
  open_.reset();
  // Where it is committed after all, the next incarnation reads what it changed.
  if (unsettled_.has_value()) ForOwnSlots([&](Slot* slot) { slot->Abort(job_->job, [] {}); });
  unsettled_.reset();
  is_prepared_ = false;
  if (capture_ == 0) CaptureToKeep();  // Else when that one is flushed.
}

void JobOnWorker::CaptureToKeep() {
  is_captured_to_keep_ = true;
  const uint64_t capture = StartCapture(/*is_for_snapshot=*/false);
  ForOwnSlots([&](Slot* slot) { slot->Commit(job_->job, committed_epoch_, 0, capture); });
}

void JobOnWorker::KeepCaptured(std::shared_ptr<const StateKeeper::Batches> batches) {
  keeper_->Keep(environment_.kept_path, history_.Describe(captured_epoch_, own_.groups),
                std::move(batches), [self = shared_from_this()](const arrow::Status& kept) {
                  self->environment_.executor->Post([self, kept] { self->EndKeeping(kept); });
                });
}

void JobOnWorker::EndKeeping(const arrow::Status& kept) {
  if (kept.ok()) {
    LogInfo("state_kept").With("job", job_->job).With("epoch", captured_epoch_);
  } else {
    LogWarn("state_not_kept").With("job", job_->job).With("why", kept.message());
  }
  std::exchange(on_kept_, nullptr)();
}

// Its files are removed, which may take a while.
void JobOnWorker::DropKept() {
  if (environment_.kept == nullptr) return;
  environment_.io->Post(
      [kept = std::exchange(environment_.kept, nullptr)]() mutable { kept.reset(); });
}

}  // namespace tidemill::worker
