#include "state/durable/flush_batch.h"

#include <utility>

namespace tidemill::state {

void FlushBatch::Add(int32_t operator_id, uint32_t key_group, HotTable* table) {
  Run run;
  run.operator_id = operator_id;
  run.key_group = key_group;
  run.last_changed_epoch = table->last_changed_epoch();
  table->CaptureDirty(&run.rows);
  num_rows_ += run.rows.num_rows;
  key_groups_.push_back(key_group);
  runs_.push_back(std::move(run));
}

int64_t FlushBatch::memory_bytes() const {
  int64_t bytes = 0;
  for (const Run& run : runs_) bytes += run.rows.memory_bytes();
  return bytes;
}

}  // namespace tidemill::state
