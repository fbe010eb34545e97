#include "worker/operators/operator_states.h"

#include <algorithm>

#include "common/base/check.h"

namespace tidemill::worker {

arrow::Result<std::unique_ptr<OperatorStates>> OperatorStates::Make(
    const std::vector<StatefulOperator>& operators, int num_key_groups) {
  auto states = std::make_unique<OperatorStates>();
  states->operators_ = operators;
  for (const StatefulOperator& op : operators) {
    PerOperator& entry = states->by_id_[op.operator_id];
    ARROW_ASSIGN_OR_RAISE(entry.codec, state::KeyCodec::Make(op.key_types));
    entry.value_types = op.value_types;
    entry.is_ephemeral = op.is_ephemeral;
    entry.is_evictable = op.is_evictable;
    entry.tables.resize(num_key_groups);
  }
  return states;
}

std::unique_ptr<state::HotTable> OperatorStates::MakeTable(int operator_id) const {
  const auto found = by_id_.find(operator_id);
  if (found == by_id_.end()) return nullptr;
  return std::make_unique<state::HotTable>(
      state::HotTable::Options{.keys = found->second.codec, .values = found->second.value_types});
}

void OperatorStates::AddTable(int operator_id, uint32_t key_group,
                              std::unique_ptr<state::HotTable> table) {
  by_id_.at(operator_id).tables[key_group] = std::move(table);
  ++version_;
  const auto at = std::lower_bound(key_groups_.begin(), key_groups_.end(), key_group);
  if (at == key_groups_.end() || *at != key_group) key_groups_.insert(at, key_group);
}

void OperatorStates::DropKeyGroup(uint32_t key_group) {
  for (auto& [id, entry] : by_id_) entry.tables[key_group].reset();
  ++version_;
  std::erase(key_groups_, key_group);
}

state::HotTable* OperatorStates::Find(int operator_id, uint32_t key_group) {
  const auto found = by_id_.find(operator_id);
  TIDEMILL_CHECK(found != by_id_.end());
  return found->second.tables[key_group].get();
}

void OperatorStates::CommitEpoch(int64_t epoch) {
  for (auto& [id, entry] : by_id_) {
    for (uint32_t group : key_groups_) {
      if (entry.is_ephemeral) {
        entry.tables[group]->Clear();
      } else {
        entry.tables[group]->CommitEpoch(epoch);
      }
    }
  }
}

void OperatorStates::UndoEpoch() {
  for (auto& [id, entry] : by_id_) {
    for (uint32_t group : key_groups_) {
      if (entry.is_ephemeral) {
        entry.tables[group]->Clear();
      } else {
        entry.tables[group]->UndoEpoch();
      }
    }
  }
}

void OperatorStates::CollectChanges(state::ChangelogSections* sections) const {
  for (const auto& [id, entry] : by_id_) {
    if (entry.is_ephemeral) continue;
    for (uint32_t group : key_groups_) sections->Add(id, group, *entry.tables[group]);
  }
}

void OperatorStates::CaptureDirty(state::FlushBatch* batch) {
  for (auto& [id, entry] : by_id_) {
    if (entry.is_ephemeral) continue;
    for (uint32_t group : key_groups_) batch->Add(id, group, entry.tables[group].get());
  }
}

void OperatorStates::MarkAllDirty() {
  for (auto& [id, entry] : by_id_) {
    if (entry.is_ephemeral) continue;
    for (uint32_t group : key_groups_) entry.tables[group]->MarkAllDirty();
  }
}

void OperatorStates::EvictClean(double kept_share, int64_t cold_bytes,
                                const state::RocksDbTier& tier) {
  int64_t tables = 0;
  for (const auto& [id, entry] : by_id_)
    if (entry.is_evictable) tables += static_cast<int64_t>(key_groups_.size());
  for (auto& [id, entry] : by_id_) {
    if (!entry.is_evictable) continue;
    for (uint32_t group : key_groups_) {
      state::HotTable* table = entry.tables[group].get();
      const auto kept = static_cast<int64_t>(kept_share * static_cast<double>(table->size()));
      table->EvictClean(table->size() - kept, tier.RowsOf(id, group), cold_bytes / tables);
    }
  }
}

OperatorStates::Summary OperatorStates::Summarise(int operator_id) const {
  Summary summary;
  for (uint32_t group : key_groups_) {
    const state::HotTable& table = *by_id_.at(operator_id).tables[group];
    summary.rows += table.size() + table.cold_rows();
    summary.cold_rows += table.cold_rows();
    summary.memory_bytes += table.memory_bytes();
    summary.cold_bytes += table.cold_bytes();
  }
  return summary;
}

state::HotTable::ColdCounters OperatorStates::TakeColdCounters(int operator_id) {
  state::HotTable::ColdCounters sum;
  for (uint32_t group : key_groups_) {
    const auto counters = by_id_.at(operator_id).tables[group]->TakeColdCounters();
    sum.keys += counters.keys;
    sum.lookups += counters.lookups;
    sum.found += counters.found;
  }
  return sum;
}

}  // namespace tidemill::worker
