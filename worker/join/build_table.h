#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/join/join_plan.h"
#include "worker/join/joined_rows.h"
#include "worker/operators/epoch_info.h"

namespace tidemill::worker {

// The bounded side of a join by its keys: rows come first, all of them, then partners are looked
// up. Kept until the epoch ends; a static table's until an epoch brings another one
// (EpochInfo::keeps_builds). *Thread-compatible*: of one slot; what many lanes of it look up in is
// filled once (slot/broadcast_runner.h).
class BuildTable {
 public:
  static constexpr uint32_t kNone = state::HotTable::kNoRow;

  // `plan` must outlive this.
  static arrow::Result<std::unique_ptr<BuildTable>> Make(const JoinPlan* plan);

  // An epoch begins: forgets the rows, unless they are kept.
  void Begin(const EpochInfo& epoch);
  // The epoch, which may not have ended, is over.
  void Reset();

  // Rows of the build side, in the order in which partners are given.
  arrow::Status Add(const EvalContext& context, const Rows& rows);
  // All rows are here; again is no error. Errors: BUILD_SIDE_MISSING (kBug) where the driver takes
  // rows for kept that are not.
  arrow::Status Finish();

  // Of rows of the other side, in `found`: the first partner by key of each, or kNone.
  arrow::Status Find(const ColumnList& keys, int64_t length, std::vector<uint32_t>* found);
  // The partner after this one.
  uint32_t Next(uint32_t row) const { return next_[row]; }
  // For a loop over what Find has found: fetches what it comes to some steps behind `i`.
  void FetchAhead(const std::vector<uint32_t>& found, size_t i) const { Fetch(found, i, next_); }

  // After Finish: all rows, or null for none; and where the join gives rows that have no partner
  // (JoinPlan::keeps_unmatched) the key group of each.
  const std::shared_ptr<arrow::RecordBatch>& rows() const { return rows_; }
  const std::vector<uint32_t>& key_groups() const { return key_groups_; }

 private:
  struct Chain {
    uint32_t first = kNone;
    uint32_t last = kNone;
  };

  // Places are far apart.
  template <class T>
  static void Fetch(const std::vector<uint32_t>& places, size_t i, const std::vector<T>& table) {
    constexpr size_t kAhead = 16;
    if (i + kAhead < places.size() && places[i + kAhead] != kNone) {
      __builtin_prefetch(table.data() + places[i + kAhead]);
    }
  }

  BuildTable(const JoinPlan* plan, std::shared_ptr<const state::KeyCodec> codec);
  void Forget();

  const JoinPlan* const plan_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  state::EncodedKeys keys_;
  state::HotTable directory_;  // the different keys; row i heads chain i
  std::vector<Chain> chains_;
  std::vector<uint32_t> next_;  // by row
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::vector<uint32_t> key_groups_;
  bool is_finished_ = false;
  bool has_rows_ = false;    // an epoch has brought some, maybe none
  bool is_missing_ = false;  // the driver thinks that one had
};

// The build sides that a job's stages broadcast (JobPlan::broadcasts), as one slot holds them. All
// joins of the slot look their partners up in them.
using BroadcastTables = std::vector<std::unique_ptr<BuildTable>>;

}  // namespace tidemill::worker
