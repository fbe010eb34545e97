#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "state/table/hot_table.h"

namespace tidemill::worker {

// The rows of one hot table by a time, so that eviction costs what it evicts. Kept beside the
// table by the operator that owns it, and made anew from the table's rows whenever the table says
// that row numbers may have changed. *Thread-compatible.*
class TimeIndex {
 public:
  TimeIndex() = default;
  TimeIndex(const TimeIndex&) = delete;
  TimeIndex& operator=(const TimeIndex&) = delete;

  // Whether what was added still is about the table; `version` is OperatorStates::version().
  bool is_current(const state::HotTable& table, uint64_t version) const {
    return table_ == &table && layout_ == table.layout() && version_ == version;
  }
  // Forgets everything and is about the table from now on. The caller adds its live rows.
  void Begin(const state::HotTable& table, uint64_t version);

  void Add(int64_t time, uint32_t row);
  // Takes the rows with times up to `time` out, earlier buckets first. Some may not be live any
  // more.
  void TakeUpTo(int64_t time, std::vector<uint32_t>* rows);

 private:
  static constexpr int kBucketBits = 24;  // of microseconds: about 17 seconds

  struct Entry {
    int64_t time;
    uint32_t row;
  };
  // Is put into order when a watermark stands within it, latest first.
  struct Bucket {
    std::vector<Entry> entries;
    size_t sorted = 0;  // so many are in order, the others came later
  };
  static void Sort(Bucket* bucket);

  const state::HotTable* table_ = nullptr;
  uint64_t layout_ = 0;
  uint64_t version_ = 0;
  std::map<int64_t, Bucket> buckets_;
  Bucket* last_added_ = nullptr;  // to the bucket with key last_key_
  int64_t last_key_ = 0;
};

}  // namespace tidemill::worker
