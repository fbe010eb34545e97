#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/fs/file_system.h"
#include "state/durable/flush_batch.h"
#include "state/durable/records.h"
#include "state/durable/rocksdb_tier.h"
#include "state/table/hot_table.h"

namespace tidemill::state {

class SnapshotReader;

// What a worker that ends in order leaves on its local disk, so that it need not read the
// checkpoint when it comes back: a directory with its RocksDB ("db") as the last flush has left it,
// what has changed since in the form of a changelog, and a file ("KEPT") that says what there is,
// and which history the rows are of. They count only where the checkpoint has the same history: a
// checkpoint that was set back or made anew since has other files.
struct KeptGroup {
  uint32_t key_group = 0;
  int slot = 0;                // that had it
  int64_t changed_epoch = -1;  // its tables have not changed since
  std::string extent_file;     // with that change; empty where it is not known
  int64_t extent_offset = 0;
};
struct KeptState {
  int64_t epoch = -1;                     // at whose end the rows are
  std::optional<int64_t> database_epoch;  // of the database, if there is one
  std::vector<Extent> rows;               // of one key group each; files of the directory
  std::vector<std::string> snapshots;     // ids of snapshots of this history
  std::vector<KeptGroup> key_groups;

  // The epoch whose rows are kept of a key group, as the given snapshots and extents count; nothing
  // where they do not show that it is of their history. No change of the kept history came after
  // it, so that all extents after it are to be applied.
  std::optional<int64_t> FitOf(uint32_t key_group, std::span<const Snapshot> snapshots,
                               std::span<const Extent> extents) const;
};

// Follows the history of the tables of one worker. *Thread-compatible.*
class TableHistory {
 public:
  // Key groups were restored up to the committed epoch.
  void Restored(std::span<const uint32_t> key_groups, std::span<const Snapshot> snapshots,
                std::span<const Extent> extents, int64_t committed_epoch);
  // Written here, and committed.
  void Changed(const std::shared_ptr<const Extent>& extent);
  void TookSnapshot(std::string id);

  KeptState Describe(int64_t epoch, const std::vector<std::vector<uint32_t>>& groups_by_slot) const;

 private:
  struct Change {
    int64_t epoch = -1;
    std::shared_ptr<const Extent> extent;  // null: in a snapshot
  };
  void Know(std::string snapshot);

  std::vector<Change> changes_;  // by key group
  std::deque<std::string> snapshots_;
};

// Writes such a directory, on the same disk as the tier, in place of what is there.
class KeptWriter {
 public:
  static arrow::Result<std::unique_ptr<KeptWriter>> Begin(const std::string& dir, KeptState kept);
  // What was captured and not flushed; by number, from 0. *Thread-safe.*
  arrow::Status AddRows(size_t number, const FlushBatch& batch);
  // Adds what was flushed; `tier` may be null. From then on the directory counts; durable.
  arrow::Status Finish(RocksDbTier* tier);

 private:
  KeptWriter(std::string dir, KeptState kept)
      : dir_(std::move(dir)), epoch_(kept.epoch), kept_(std::move(kept)) {}
  std::string unfinished() const { return dir_ + ".new"; }

  const std::string dir_;
  const int64_t epoch_;
  Mutex mutex_;
  KeptState kept_ GUARDED_BY(mutex_);
};

// Such a directory, for reading. *Thread-safe.*
class KeptTables {
 public:
  // Takes the directory: it is removed in the end, and where this fails. Errors: kNotFound,
  // CHECKPOINT_CORRUPT.
  static arrow::Result<std::unique_ptr<KeptTables>> Open(const std::string& dir);
  ~KeptTables();

  const KeptState& state() const { return state_; }
  // Adds the rows of a key group to its tables, and tells them their last changed epoch; as
  // SnapshotReader::ReadKeyGroup. The database is opened by the first call.
  arrow::Result<int64_t> ReadKeyGroup(uint32_t key_group,
                                      const std::function<HotTable*(int32_t)>& find) const;

 private:
  explicit KeptTables(std::string dir);

  const std::string dir_;
  KeptState state_;  // set by Open
  mutable std::once_flag once_;
  mutable arrow::Status opened_;
  mutable std::unique_ptr<SnapshotReader> reader_;  // null without a database
};

}  // namespace tidemill::state
