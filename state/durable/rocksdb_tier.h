#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "state/durable/flush_batch.h"
#include "state/durable/records.h"
#include "state/table/cold_side.h"

namespace tidemill::state {

// The RocksDB of one job on one worker incarnation: a column family per operator, committed rows
// only, written in bulk. Key = 2-byte big-endian key group, 1-byte NULL flag, key bytes; value =
// row codec version, encoded values. The column family `__epoch` says which epoch the rows are of.
//
// Nothing here is read by a restart of the worker, unless it was linked elsewhere: it starts an
// empty database and its tables are all dirty. What survives are snapshots. After a failed call the
// tier refuses everything, because the captured rows are lost to it; the job must then restart from
// its checkpoint. *Thread-compatible*: one thread at a time (an executor for blocking work) makes
// all calls, never a slot; but RowsOf and what it gives are for slots.
class RocksDbTier {
 public:
  struct Options {
    FileSystem* fs = nullptr;  // of the checkpoint; must outlive the tier
    std::string local_dir;     // <data>/<job>/<incarnation>, on a local disk
    std::string state_dir;     // <checkpoint>/state, exists
    std::string worker;
    std::string incarnation;         // UUID
    std::vector<int32_t> operators;  // ids of the stateful operators
    bool is_durable = true;          // false: snapshot files are never synced
  };
  // Locks `local_dir` (flock) and makes an empty database in it; what an earlier process left there
  // is removed. Errors: STATE_DIRECTORY_IN_USE (kConflict).
  static arrow::Result<std::unique_ptr<RocksDbTier>> Open(Options options);
  // Closes, and removes `local_dir`; what RowsOf gave away puts that off.
  ~RocksDbTier();

  // Writes the rows captured at the end of `epoch`, all column families and `__epoch` atomically.
  arrow::Status Flush(int64_t epoch, std::span<const FlushBatch* const> batches);
  // Copies what the last Flush made of the database into the checkpoint: only files that are new
  // since the last snapshot; synced. The caller reports the result to the log.
  arrow::Result<Snapshot> TakeSnapshot();
  // Makes `dir` (absent, on the local disk of `local_dir`) hold the database as the last Flush has
  // left it, by hard links: kept_state.h.
  arrow::Status LinkTo(const std::string& dir);
  int64_t flushed_epoch() const;  // of the last Flush, -1 before
  // Goes on for another deployment, whose files in the checkpoint have other names: what was copied
  // into it until now does not count.
  void Renew(std::string incarnation);
  // Removes key groups that this worker gave away, or before it takes them again.
  arrow::Status DropKeyGroups(std::span<const uint32_t> key_groups);

  // The rows of a table as the newest Flush before a read has left them. After a Flush;
  // *thread-safe*.
  std::shared_ptr<const ColdRows> RowsOf(int32_t operator_id, uint32_t key_group) const;

  // What it keeps in memory between calls: filters and indexes. After a Flush; *thread-safe*.
  int64_t memory_bytes() const;
  // What the rows of an operator take on the local disk. After a Flush; *thread-safe*.
  int64_t disk_bytes(int32_t operator_id) const;

  // Removes the directories of dead incarnations (not locked by anyone) under <data>/<job>.
  static void RemoveStale(const std::string& job_dir);

 private:
  struct Impl;
  explicit RocksDbTier(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::state
