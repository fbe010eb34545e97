#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/executor.h"
#include "state/durable/restore.h"
#include "worker/operators/operator_states.h"
#include "worker/slot/job_slot.h"
#include "worker/state_keeper.h"

namespace tidemill::worker {

// Tables that were restored before their key groups are this worker's. *Plain data.*
struct WarmTables {
  int64_t epoch = -1;                              // whose end they stand at
  std::vector<std::vector<RestoredTable>> tables;  // by slot
};

inline constexpr auto kRestoreReport = std::chrono::milliseconds(500);

// The tables of key groups that are new on a worker.
struct RestoreRequest {
  state::Restorer::Options from;
  std::vector<std::vector<uint32_t>> groups;     // by slot
  WarmTables warm;                               // used where they are wanted
  std::shared_ptr<const OperatorStates> tables;  // makes them
  // Takes what exceeds `memory_bytes` in all; empty: nothing does.
  StateKeeper::Spill spill;
  int64_t memory_bytes = 0;
  Executor* io = nullptr;        // reads
  int max_parallel = 0;          // slots at a time; 0: all
  Executor* executor = nullptr;  // takes the result; serial
  // How far it is, every kRestoreReport while it runs, on `executor`; may be empty.
  std::function<void(int64_t key_groups, const state::Restorer::Progress& read)> on_progress;
};
struct RestoredTables {
  arrow::Status status;                            // of the first slot that failed
  std::vector<std::vector<RestoredTable>> tables;  // by slot
  int64_t rows = 0;                                // cold ones too
  int64_t kept_rows = 0;                           // as those of Restorer::Stats
  int64_t snapshot_rows = 0;
  int64_t changelog_rows = 0;
  int64_t cold_rows = 0;
  int64_t memory_bytes = 0;
  int64_t evictable_bytes = 0;
};

// Makes and fills the tables, slot by slot in parallel. `done` is posted to the executor, or called
// at once where there is nothing to read. Errors: those of state::Restorer.
void RestoreTables(RestoreRequest request, std::function<void(RestoredTables)> done);

}  // namespace tidemill::worker
