#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/fs/file_system.h"
#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/flush_policy.h"
#include "state/durable/kept_state.h"
#include "state/durable/rocksdb_tier.h"

namespace tidemill::worker {

// The durable side of one job's state on one worker: changelog segments in the checkpoint, and the
// RocksDB tier with its snapshots. Work that blocks runs on the I/O pool; each callback comes from
// there. *Thread-compatible*: called by the worker's thread only. At most one Snapshot runs at a
// time; an Append waits for the one before it. A restore may flush into the tier, too.
class StateKeeper {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    Executor* io = nullptr;
    std::string state_dir;  // <checkpoint>/state
    std::string local_dir;  // of RocksDB, for this job and incarnation
    std::string worker;
    std::string incarnation;  // of the worker, and which of its deployments: in file names
    std::vector<int32_t> operators;
    bool is_durable = true;
    state::FlushPolicy policy;
  };
  explicit StateKeeper(Options options);
  ~StateKeeper();

  // Writes the changes of all slots as one extent and makes it durable; large ones as several, in
  // files of their own, at the same time. Without any change `done` gets no extent, at once.
  using Appended = std::function<void(arrow::Result<std::vector<state::Extent>>)>;
  void Append(int64_t epoch,
              const std::shared_ptr<const std::vector<state::ChangelogSections>>& slots,
              Appended done);

  // An epoch was committed: its changelog counts (0 for an epoch without changes). `state_bytes` is
  // what the tables take now.
  void OnCommitted(int64_t changelog_bytes, int64_t state_bytes);
  bool is_capturing() const { return is_capturing_; }
  // It is time for a snapshot and no capture is under way.
  bool ShouldSnapshot() const;
  // Capturing has begun. For a snapshot, later extents go to a new segment; else the rows are only
  // flushed, so that they can be evicted.
  void BeginCapture(bool is_for_snapshot);
  // These key groups were given away. The tier forgets them before it is flushed with anything
  // captured from now on, also where they have come back by then; what is being captured still has
  // them.
  void DropKeyGroups(std::vector<uint32_t> key_groups);
  // Takes the place of another keeper of the same tables, whose snapshots under way do not count;
  // `takes_tier`: also of its tier, which holds all that was captured. Else that is empty.
  void ContinueFrom(StateKeeper* before, bool takes_tier);

  // Flushes what the slots captured at the end of `epoch`; copies a snapshot to the checkpoint
  // where the capture was for one.
  struct Flushed {
    std::shared_ptr<const state::RocksDbTier> tier;  // holds all that was captured
    std::optional<state::Snapshot> snapshot;
  };
  using OnFlushed = std::function<void(arrow::Result<Flushed>)>;
  using Batches = std::vector<std::unique_ptr<state::FlushBatch>>;
  void Flush(int64_t epoch, std::shared_ptr<const Batches> batches, OnFlushed done);
  // Instead of a flush: makes `dir` hold what was flushed before and what is captured now
  // (state/durable/kept_state.h); replaces what is there.
  void Keep(const std::string& dir, state::KeptState kept, std::shared_ptr<const Batches> batches,
            std::function<void(const arrow::Status&)> done);
  // The flush is done (or failed) and its result has reached the worker. `counts`: a snapshot of it
  // has reached the driver, so that the changelog before it is not needed any more.
  void EndCapture(bool counts);

  // A restore of these key groups begins; no capture is under way, and none begins before the
  // restored tables are there. Restores that began before it are over: their Spill fails from now
  // on. *Thread-safe*: Spill flushes and returns the tier; it blocks.
  using Spill = std::function<arrow::Result<std::shared_ptr<const state::RocksDbTier>>(
      const state::FlushBatch& batch)>;
  Spill BeginRestore(std::vector<uint32_t> key_groups);

 private:
  struct Files;  // shared with the I/O pool

  const Options options_;
  const std::shared_ptr<Files> files_;
  int64_t changelog_bytes_ = 0;  // since the last capture
  int64_t state_bytes_ = 0;
  int64_t extents_ = 0;  // since the last capture
  bool is_capturing_ = false;
  bool is_for_snapshot_ = false;          // the capture under way
  int64_t captures_ = 0;                  // begun
  int64_t captured_changelog_bytes_ = 0;  // that the capture under way stands for
  int64_t captured_extents_ = 0;
  std::vector<uint32_t> dropped_;         // since the last capture began
  std::vector<uint32_t> dropped_before_;  // the capture under way
};

}  // namespace tidemill::worker
