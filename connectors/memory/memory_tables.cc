#include "connectors/memory/memory_tables.h"

#include <arrow/record_batch.h>

#include <utility>

namespace tidemill::connectors {

MemoryTables* MemoryTables::OfProcess() {
  static MemoryTables tables;
  return &tables;
}

void MemoryTables::Create(const std::string& name, const std::string& job_uuid,
                          std::shared_ptr<arrow::Schema> schema) {
  MutexLock lock(&mutex_);
  Entry& entry = entries_[name];
  if (entry.job_uuid == job_uuid) return;
  entry = Entry{.table = {.schema = std::move(schema)}, .job_uuid = job_uuid};
}

void MemoryTables::Put(const std::string& name, int64_t epoch, bool replaces,
                       std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  MutexLock lock(&mutex_);
  Entry& entry = entries_[name];
  if (epoch <= entry.last_epoch) return;
  entry.last_epoch = epoch;
  auto& rows = entry.table.batches;
  if (replaces) rows.clear();
  rows.insert(rows.end(), batches.begin(), batches.end());
}

std::optional<MemoryTables::Table> MemoryTables::Find(const std::string& name) const {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return found->second.table;
}

}  // namespace tidemill::connectors
