#include "worker/state_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/error.h"

namespace tidemill::worker {

namespace {

// Of the limit. Above kFlushShare changed rows are flushed, above kFullShare epochs wait, and what
// is evicted leaves kKeptShare. Measured with 512 MB: beside the tables and the indexes of RocksDB,
// captures, the changelog, batches and what malloc keeps take about 270 MB.
constexpr double kFlushShare = 0.36;
constexpr double kFullShare = 0.54;
constexpr double kKeptShare = 0.28;
constexpr double kColdShare = 0.12;
// Several jobs restore at the same time when a driver starts, and none knows yet of the others.
constexpr double kRestoreShare = 0.2;

}  // namespace

StateMemory::StateMemory(MemoryBudget* budget, int64_t job_limit,
                         const std::vector<StatefulOperator>& operators)
    : budget_(budget), job_limit_(job_limit), evictable_(EvictableIds(operators)) {}

void StateMemory::Set(int64_t bytes, int64_t evictable_bytes) {
  budget_->Add(bytes - bytes_);
  bytes_ = bytes;
  evictable_bytes_ = evictable_bytes;
}

arrow::Status StateMemory::Update(const std::string& worker, const std::vector<Use>& uses) {
  int64_t bytes = 0;
  int64_t evictable_bytes = 0;
  const Use* largest = nullptr;
  for (const Use& use : uses) {
    bytes += use.bytes;
    if (evictable_.contains(use.operator_id)) evictable_bytes += use.bytes - use.fixed_bytes;
    if (largest == nullptr || use.bytes > largest->bytes) largest = &use;
  }
  Set(bytes, evictable_bytes);
  const bool is_above_own = job_limit_ > 0 && bytes > job_limit_;
  if (largest == nullptr || (!is_above_own && !budget_->is_exceeded())) return arrow::Status::OK();
  const std::string limit = is_above_own ? fmt::format("job's limit={}", job_limit_)
                                         : fmt::format("worker's limit={} bytes of all jobs={}",
                                                       budget_->limit(), budget_->used());
  return WithHint(
      MakeError(
          ErrorKind::kResource, "MEMORY_LIMIT_EXCEEDED",
          fmt::format("the state of a job outgrew its memory on a worker: worker={} "
                      "operator={} ({}) bytes={} bytes of the job={} {}",
                      worker, largest->operator_id, largest->name, largest->bytes, bytes, limit)),
      evictable_.contains(largest->operator_id)
          ? "the rows that one epoch touches must fit: read less per epoch "
            "(maxFilesPerTrigger), give it more memory per worker, or add workers"
          : "give it more memory per worker, or add workers");
}

int64_t StateMemory::limit() const {
  // What other jobs have taken is not there for this one.
  const int64_t others = budget_->used() - bytes_ - warm_bytes_;
  const int64_t of_worker =
      budget_->limit() == 0 ? 0 : std::max(budget_->limit() - others, budget_->limit() / 16);
  if (job_limit_ == 0 || of_worker == 0) return std::max(job_limit_, of_worker);
  return std::min(job_limit_, of_worker);
}

int64_t StateMemory::ShareOf(double share) const {
  return static_cast<int64_t>(share * static_cast<double>(limit()));
}

int64_t StateMemory::evictable_target() const {
  return std::max(ShareOf(kKeptShare) - (used_bytes() - evictable_bytes_), limit() / 16);
}

bool StateMemory::wants_flush() const {
  // Not again and again for what a flush does not change.
  return can_evict() && used_bytes() > ShareOf(kFlushShare) &&
         evictable_bytes_ > evictable_target() + evictable_target() / 4;
}

bool StateMemory::wants_eviction() const {
  return can_evict() && evictable_bytes_ > evictable_target();
}

bool StateMemory::is_full() const {
  return can_evict() && used_bytes() + captured_bytes_ > ShareOf(kFullShare);
}

double StateMemory::kept_share() const {
  if (!wants_eviction()) return 1;
  return static_cast<double>(evictable_target()) / static_cast<double>(evictable_bytes_);
}

int64_t StateMemory::cold_bytes() const { return ShareOf(kColdShare); }

int64_t StateMemory::restore_bytes() const {
  return std::max(ShareOf(kRestoreShare) - used_bytes(), limit() / 16);
}

}  // namespace tidemill::worker
