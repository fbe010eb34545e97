#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "worker/memory_budget.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// What the tables of one job take on this worker, and when they have to give some of it back. The
// limit is for the whole process: captures on their way to RocksDB, its cache, batches and the rows
// that an epoch adds need their share beside the tables. *Thread-compatible*: the worker's thread.
class StateMemory {
 public:
  // Adds what it is told to `budget`, which must outlive this. `job_limit`: 0 for none.
  StateMemory(MemoryBudget* budget, int64_t job_limit,
              const std::vector<StatefulOperator>& operators);

  // What tables take now, and those of it that can evict.
  void Set(int64_t bytes, int64_t evictable_bytes);
  // What RocksDB keeps in memory for them.
  void SetTier(int64_t bytes) { tier_bytes_ = bytes; }
  // What tables take that are restored ahead.
  void SetWarm(int64_t bytes) {
    budget_->Add(bytes - warm_bytes_);
    warm_bytes_ = bytes;
  }
  // What was captured of them, until it is flushed.
  void SetCaptured(int64_t bytes) { captured_bytes_ = bytes; }
  // The same by operator. Errors: MEMORY_LIMIT_EXCEEDED (kResource) beyond the limit.
  struct Use {
    int operator_id = 0;
    std::string name;
    int64_t bytes = 0;
    int64_t fixed_bytes = 0;  // of these, what evicting rows does not give back
  };
  arrow::Status Update(const std::string& worker, const std::vector<Use>& uses);
  int64_t bytes() const { return bytes_; }
  int64_t evictable_bytes() const { return evictable_bytes_; }

  // There is a limit, and there are tables that can evict.
  bool can_evict() const { return !evictable_.empty() && limit() > 0; }
  // Rows that changed should be flushed, so that others can be evicted.
  bool wants_flush() const;
  // Rows that are flushed should be evicted.
  bool wants_eviction() const;
  // No epoch should begin while rows are being flushed or evicted.
  bool is_full() const;
  // Of the rows that can be evicted, those that should stay.
  double kept_share() const;
  // For what tables note of rows that they do not have.
  int64_t cold_bytes() const;
  // What a restore may add before it evicts.
  int64_t restore_bytes() const;

 private:
  // What this job may take in all; 0: no limit.
  int64_t limit() const;
  int64_t ShareOf(double share) const;
  int64_t used_bytes() const { return bytes_ + warm_bytes_ + tier_bytes_; }
  // What the tables that can evict should come to.
  int64_t evictable_target() const;

  MemoryBudget* const budget_;
  const int64_t job_limit_;
  const std::set<int> evictable_;  // ids of operators
  int64_t bytes_ = 0;
  int64_t evictable_bytes_ = 0;
  int64_t warm_bytes_ = 0;
  int64_t tier_bytes_ = 0;
  int64_t captured_bytes_ = 0;
};

}  // namespace tidemill::worker
