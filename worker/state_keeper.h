#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/fs/file_system.h"
#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/flush_policy.h"
#include "state/durable/rocksdb_tier.h"

namespace tidemill::worker {

// The durable side of one job's state on one worker: changelog segments in the checkpoint, and the
// RocksDB tier with its snapshots. Work that blocks runs on the I/O pool; each callback comes from
// there. *Thread-compatible*: called by the worker's thread only. At most one Snapshot runs at a
// time; an Append waits for the one before it.
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
  // It is time to capture and no snapshot is under way.
  bool ShouldCapture() const;
  // Capturing has begun: later extents go to a new segment.
  void BeginCapture();
  // These key groups were given away. The tier forgets them before it is flushed with anything
  // captured from now on, also where they have come back by then; what is being captured still has
  // them.
  void DropKeyGroups(std::vector<uint32_t> key_groups);
  // Takes the place of another keeper of the same tables, whose snapshots under way do not count.
  void ContinueFrom(const StateKeeper& before);

  // Flushes what the slots captured at the end of `epoch` and copies a snapshot to the checkpoint.
  using Snapshotted = std::function<void(arrow::Result<state::Snapshot>)>;
  void TakeSnapshot(int64_t epoch,
                    std::shared_ptr<const std::vector<std::unique_ptr<state::FlushBatch>>> batches,
                    Snapshotted done);
  // The snapshot is done (or failed) and its result has reached the worker.
  void EndCapture();

 private:
  struct Files;  // shared with the I/O pool

  const Options options_;
  const std::shared_ptr<Files> files_;
  int64_t changelog_bytes_ = 0;  // since the last capture
  int64_t state_bytes_ = 0;
  int64_t extents_ = 0;  // since the last capture
  bool is_capturing_ = false;
  int64_t captures_ = 0;                  // begun
  int64_t captured_changelog_bytes_ = 0;  // that the capture under way stands for
  int64_t captured_extents_ = 0;
  std::vector<uint32_t> dropped_;         // since the last capture began
  std::vector<uint32_t> dropped_before_;  // the capture under way
};

}  // namespace tidemill::worker
