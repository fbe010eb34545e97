#include "worker/table_restore.h"

#include <arrow/result.h>

#include <set>
#include <utility>

namespace tidemill::worker {

namespace {

std::vector<RestoredTable> MakeTables(const OperatorStates& maker,
                                      const std::vector<uint32_t>& groups) {
  std::vector<RestoredTable> tables;
  for (const StatefulOperator& op : maker.operators()) {
    for (const uint32_t group : groups)
      tables.push_back({op.operator_id, group, maker.MakeTable(op.operator_id)});
  }
  return tables;
}

// Shared by the slots' restores; but for `result.tables[slot]`, which is its slot's, it is touched
// on the executor.
struct Progress {
  std::unique_ptr<state::Restorer> restorer;
  std::function<void(RestoredTables)> done;
  RestoredTables result;
  int left = 0;
};

// Flushes and evicts tables that can be evicted when all of a slot together take too much.
class SlotRoom {
 public:
  SlotRoom(const OperatorStates& states, StateKeeper::Spill spill, int64_t memory_bytes,
           const std::vector<RestoredTable>& tables)
      : spill_(std::move(spill)),
        memory_bytes_(memory_bytes),
        tables_(tables),
        evictable_(EvictableIds(states.operators())) {}

  arrow::Status Make() const {
    int64_t bytes = 0;
    int64_t evictable_bytes = 0;
    for (const RestoredTable& entry : tables_) {
      bytes += entry.table->memory_bytes();
      if (evictable_.contains(entry.operator_id))
        evictable_bytes += entry.table->memory_bytes() - entry.table->cold_bytes();
    }
    if (bytes <= memory_bytes_ || evictable_bytes <= memory_bytes_ / kKeptPart)
      return arrow::Status::OK();
    state::FlushBatch batch;
    for (const RestoredTable& entry : tables_) {
      if (evictable_.contains(entry.operator_id))
        batch.Add(entry.operator_id, entry.key_group, entry.table.get());
    }
    ARROW_ASSIGN_OR_RAISE(const auto tier, spill_(batch));
    for (const RestoredTable& entry : tables_) {
      if (!evictable_.contains(entry.operator_id)) continue;
      const int64_t rows = entry.table->size();
      entry.table->EvictClean(rows - rows / kKeptPart,
                              tier->RowsOf(entry.operator_id, entry.key_group),
                              memory_bytes_ / kColdPart / static_cast<int64_t>(tables_.size()));
    }
    return arrow::Status::OK();
  }

 private:
  static constexpr int64_t kKeptPart = 4;  // one row in so many stays
  static constexpr int64_t kColdPart = 3;  // of the memory, for what is noted of cold keys

  const StateKeeper::Spill spill_;
  const int64_t memory_bytes_;
  const std::vector<RestoredTable>& tables_;
  const std::set<int> evictable_;
};

arrow::Result<state::Restorer::Stats> RestoreSlot(state::Restorer* restorer,
                                                  const std::vector<uint32_t>& groups,
                                                  const std::vector<RestoredTable>& tables,
                                                  const state::Restorer::RoomMaker& make_room) {
  const auto find = [&](int32_t operator_id, uint32_t group) -> state::HotTable* {
    for (const RestoredTable& entry : tables) {
      if (entry.operator_id == operator_id && entry.key_group == group) return entry.table.get();
    }
    return nullptr;
  };
  return restorer->Restore(groups, find, make_room);
}

void Measure(const OperatorStates& states, RestoredTables* result) {
  const std::set<int> evictable = EvictableIds(states.operators());
  for (const auto& tables : result->tables) {
    for (const RestoredTable& entry : tables) {
      const int64_t bytes = entry.table->memory_bytes();
      result->cold_rows += entry.table->cold_rows();
      result->memory_bytes += bytes;
      if (evictable.contains(entry.operator_id))
        result->evictable_bytes += bytes - entry.table->cold_bytes();
    }
  }
}

}  // namespace

void RestoreTables(RestoreRequest request, std::function<void(RestoredTables)> done) {
  auto progress = std::make_shared<Progress>();
  const bool has_state = !request.tables->operators().empty() &&
                         (!request.from.snapshots.empty() || !request.from.extents.empty());
  for (const auto& groups : request.groups) {
    progress->result.tables.push_back(MakeTables(*request.tables, groups));
    if (has_state && !groups.empty()) ++progress->left;
  }
  if (progress->left == 0) return done(std::move(progress->result));

  progress->done = std::move(done);
  progress->restorer = std::make_unique<state::Restorer>(std::move(request.from));
  const int64_t slot_bytes = request.memory_bytes / progress->left;
  for (size_t slot = 0; slot < request.groups.size(); ++slot) {
    if (request.groups[slot].empty()) continue;
    request.io->Post([progress, slot, states = request.tables, executor = request.executor,
                      spill = request.spill, slot_bytes, groups = std::move(request.groups[slot])] {
      const std::vector<RestoredTable>& tables = progress->result.tables[slot];
      const SlotRoom room(*states, spill, slot_bytes, tables);
      state::Restorer::RoomMaker make_room;
      if (spill) make_room = [&room] { return room.Make(); };
      auto restored = RestoreSlot(progress->restorer.get(), groups, tables, make_room);
      executor->Post([progress, states, restored = std::move(restored)] {
        if (restored.ok()) progress->result.rows += restored->rows;
        if (!restored.ok() && progress->result.status.ok())
          progress->result.status = restored.status();
        if (--progress->left > 0) return;
        if (progress->result.status.ok()) Measure(*states, &progress->result);
        progress->done(std::move(progress->result));
      });
    });
  }
}

}  // namespace tidemill::worker
