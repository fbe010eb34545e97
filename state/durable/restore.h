#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/fs/file_system.h"
#include "state/durable/kept_state.h"
#include "state/durable/records.h"
#include "state/table/hot_table.h"

namespace tidemill::state {

// Rebuilds hot tables from the checkpoint: for each key group its newest sound snapshot, or what
// the worker has kept of it on its own disk, then the changelog extents after it. Key groups may
// come from different snapshots.
//
// A corrupt snapshot is skipped with a warning in favour of the one before it, or, where it is the
// only one, of the changelog from its beginning. Each section says since when its table had not
// changed, so a gap in the extents is noticed. Errors: CHECKPOINT_CORRUPT (kCorrupt) where no way
// leads to the committed epoch.
// *Thread-safe*: slots may restore disjoint key groups at the same time.
class Restorer {
 public:
  struct Options {
    FileSystem* fs = nullptr;         // of the checkpoint; must outlive the restorer
    std::string state_dir;            // <checkpoint>/state
    std::string scratch_dir;          // local; made, and removed by the destructor
    std::vector<Snapshot> snapshots;  // newest first
    // Ascending by epoch; of each key group all, or all after the older of its two newest
    // snapshots.
    std::vector<Extent> extents;
    int64_t committed_epoch = -1;  // extents after it are not applied; -1: nothing to restore
    // By operator and key group: tables that an earlier Restore has filled, and its committed
    // epoch. Only what came after it is read for them, where enough of the extents are left.
    std::map<std::pair<int32_t, uint32_t>, int64_t> filled;
    // Read instead of snapshots where they fit; damage is said, and the snapshots are read. May be
    // null.
    std::shared_ptr<const KeptTables> kept;
  };
  struct Stats {
    int64_t rows = 0;  // live rows afterwards, cold ones too
    int64_t snapshot_rows = 0;
    int64_t kept_rows = 0;
    int64_t changelog_rows = 0;
    int64_t filled_tables = 0;      // that did not have to be read again
    int64_t corrupt_snapshots = 0;  // skipped
  };
  // Of all calls of Restore so far.
  struct Progress {
    int64_t key_groups = 0;  // read from snapshots, or that have none
    int64_t rows = 0;        // read, of snapshots and extents
  };
  // The empty table of an operator and key group, or nullptr where the plan has no such operator
  // (CHECKPOINT_CORRUPT). Called on the thread of Restore.
  using TableFinder = std::function<HotTable*(int32_t operator_id, uint32_t key_group)>;

  // Makes room among tables that are being filled, where they take too much: captures, flushes and
  // evicts what it likes of them. Called on the thread of Restore, now and then, between two epochs
  // of the tables; `last_changed_epoch` of a table means nothing then.
  using RoomMaker = std::function<arrow::Status()>;

  explicit Restorer(Options options);
  ~Restorer();

  // Fills the tables of `key_groups`, which are empty but for those of Options::filled, and commits
  // them at the committed epoch. All rows are dirty afterwards, so that the first flush of the new
  // owner writes them all; but for those that `make_room` (empty: none) has captured.
  arrow::Result<Stats> Restore(std::span<const uint32_t> key_groups, const TableFinder& find,
                               const RoomMaker& make_room = {});

  // *Thread-safe*, while Restore runs.
  Progress progress() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::state
