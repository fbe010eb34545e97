#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/rocksdb_tier.h"
#include "state/table/hot_table.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// The hot tables of one job on one slot: one for each stateful operator and key group that the slot
// owns. Those of ephemeral operators are empty at the beginning of every epoch and never logged.
// *Thread-compatible*: touched by the slot's thread; restore fills tables before they are added.
class OperatorStates {
 public:
  static arrow::Result<std::unique_ptr<OperatorStates>> Make(
      const std::vector<StatefulOperator>& operators, int num_key_groups);

  // An empty table for an operator; thread-safe. Null where the plan has no such operator.
  std::unique_ptr<state::HotTable> MakeTable(int operator_id) const;
  void AddTable(int operator_id, uint32_t key_group, std::unique_ptr<state::HotTable> table);
  // Forgets a key group that another slot owns now.
  void DropKeyGroup(uint32_t key_group);

  // Null where this slot does not own the key group.
  state::HotTable* Find(int operator_id, uint32_t key_group);
  // Ascending.
  const std::vector<uint32_t>& key_groups() const { return key_groups_; }
  // Another number when tables have come or gone.
  uint64_t version() const { return version_; }

  void CommitEpoch(int64_t epoch);
  void UndoEpoch();
  void CollectChanges(state::ChangelogSections* sections) const;
  void CaptureDirty(state::FlushBatch* batch);
  // The next capture takes all rows.
  void MarkAllDirty();
  // Between epochs, once the tier holds all that was captured: of the operators that may (see
  // StatefulOperator::is_evictable), evicts rows from memory, but for this share of each table;
  // what tables note of cold keys takes about `cold_bytes` at most.
  void EvictClean(double kept_share, int64_t cold_bytes, const state::RocksDbTier& tier);

  struct Summary {
    int64_t rows = 0;  // cold ones too
    int64_t cold_rows = 0;
    int64_t cold_bytes = 0;  // of memory_bytes: what eviction does not give back
    int64_t memory_bytes = 0;
  };
  Summary Summarise(int operator_id) const;
  // Since the last call.
  state::HotTable::ColdCounters TakeColdCounters(int operator_id);
  const std::vector<StatefulOperator>& operators() const { return operators_; }

 private:
  struct PerOperator {
    std::shared_ptr<const state::KeyCodec> codec;
    std::vector<std::shared_ptr<arrow::DataType>> value_types;
    bool is_ephemeral = false;
    bool is_evictable = false;
    std::vector<std::unique_ptr<state::HotTable>> tables;  // by key group
  };

  std::vector<StatefulOperator> operators_;
  std::map<int, PerOperator> by_id_;
  std::vector<uint32_t> key_groups_;
  uint64_t version_ = 0;
};

}  // namespace tidemill::worker
