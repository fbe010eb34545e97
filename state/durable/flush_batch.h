#pragma once

#include <cstdint>
#include <vector>

#include "state/table/hot_table.h"
#include "state/table/row_block.h"

namespace tidemill::state {

// The rows that slots captured at one epoch boundary, on their way to RocksDB. Each slot fills its
// own batch on its own thread right after CommitEpoch(f) and before any change of f + 1; the
// batches of all slots are handed to RocksDbTier::Flush, which sorts and writes them in the
// background. *Thread-compatible.*
class FlushBatch {
 public:
  struct Run {
    int32_t operator_id = 0;
    uint32_t key_group = 0;
    int64_t last_changed_epoch = -1;
    RowBlock rows;  // each key once, in no order
  };

  // Captures the table's dirty rows. Call it for every table of every key group owned, changed or
  // not: the snapshot claims exactly the key groups added here.
  void Add(int32_t operator_id, uint32_t key_group, HotTable* table);

  const std::vector<Run>& runs() const { return runs_; }
  const std::vector<uint32_t>& key_groups() const { return key_groups_; }  // may repeat
  int64_t num_rows() const { return num_rows_; }
  int64_t memory_bytes() const;

 private:
  std::vector<Run> runs_;
  std::vector<uint32_t> key_groups_;
  int64_t num_rows_ = 0;
};

}  // namespace tidemill::state
