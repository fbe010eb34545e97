#include "worker/table_restore.h"

#include <arrow/result.h>

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

arrow::Result<state::Restorer::Stats> RestoreSlot(state::Restorer* restorer,
                                                  const std::vector<uint32_t>& groups,
                                                  const std::vector<RestoredTable>& tables) {
  return restorer->Restore(groups, [&](int32_t operator_id, uint32_t group) -> state::HotTable* {
    for (const RestoredTable& entry : tables) {
      if (entry.operator_id == operator_id && entry.key_group == group) return entry.table.get();
    }
    return nullptr;
  });
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
  for (size_t slot = 0; slot < request.groups.size(); ++slot) {
    if (request.groups[slot].empty()) continue;
    request.io->Post([progress, slot, executor = request.executor,
                      groups = std::move(request.groups[slot])] {
      auto restored = RestoreSlot(progress->restorer.get(), groups, progress->result.tables[slot]);
      executor->Post([progress, restored = std::move(restored)] {
        if (restored.ok()) progress->result.rows += restored->rows;
        if (!restored.ok() && progress->result.status.ok())
          progress->result.status = restored.status();
        if (--progress->left == 0) progress->done(std::move(progress->result));
      });
    });
  }
}

}  // namespace tidemill::worker
