#include "worker/stateful/time_index.h"

#include <algorithm>

namespace tidemill::worker {

void TimeIndex::Begin(const state::HotTable& table, uint64_t version) {
  table_ = &table;
  layout_ = table.layout();
  version_ = version;
  buckets_.clear();
  last_added_ = nullptr;
}

void TimeIndex::Add(int64_t time, uint32_t row) {
  const int64_t key = time >> kBucketBits;
  if (last_added_ == nullptr || last_key_ != key) {
    last_added_ = &buckets_[key];
    last_key_ = key;
  }
  last_added_->entries.push_back({time, row});
}

void TimeIndex::Sort(Bucket* bucket) {
  const auto later = [](const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.row > b.row;
  };
  auto& entries = bucket->entries;
  const auto added = entries.begin() + static_cast<std::ptrdiff_t>(bucket->sorted);
  std::sort(added, entries.end(), later);
  std::inplace_merge(entries.begin(), added, entries.end(), later);
  bucket->sorted = entries.size();
}

void TimeIndex::TakeUpTo(int64_t time, std::vector<uint32_t>* rows) {
  const int64_t last = time >> kBucketBits;
  while (!buckets_.empty() && buckets_.begin()->first < last) {
    for (const Entry& entry : buckets_.begin()->second.entries) rows->push_back(entry.row);
    buckets_.erase(buckets_.begin());
  }
  last_added_ = nullptr;
  const auto boundary = buckets_.find(last);
  if (boundary == buckets_.end()) return;
  Bucket& bucket = boundary->second;
  if (bucket.sorted < bucket.entries.size()) Sort(&bucket);
  while (!bucket.entries.empty() && bucket.entries.back().time <= time) {
    rows->push_back(bucket.entries.back().row);
    bucket.entries.pop_back();
  }
  bucket.sorted = bucket.entries.size();
  if (bucket.entries.empty()) buckets_.erase(boundary);
}

}  // namespace tidemill::worker
