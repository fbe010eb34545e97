#include "worker/stateful/time_index.h"

#include <algorithm>

namespace tidemill::worker {

void TimeIndex::Begin(const state::HotTable& table, uint64_t version) {
  table_ = &table;
  layout_ = table.layout();
  version_ = version;
  buckets_.clear();
}

void TimeIndex::TakeUpTo(int64_t time, std::vector<uint32_t>* rows) {
  const int64_t last = time >> kBucketBits;
  while (!buckets_.empty() && buckets_.begin()->first < last) {
    for (const auto& [at, row] : buckets_.begin()->second) rows->push_back(row);
    buckets_.erase(buckets_.begin());
  }
  const auto boundary = buckets_.find(last);
  if (boundary == buckets_.end()) return;
  auto& entries = boundary->second;
  const auto kept = std::stable_partition(entries.begin(), entries.end(),
                                          [&](const auto& entry) { return entry.first <= time; });
  for (auto entry = entries.begin(); entry != kept; ++entry) rows->push_back(entry->second);
  entries.erase(entries.begin(), kept);
  if (entries.empty()) buckets_.erase(boundary);
}

}  // namespace tidemill::worker
