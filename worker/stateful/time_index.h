#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "state/table/hot_table.h"

namespace tidemill::worker {

// The rows of one hot table by a time, so that eviction costs what it evicts. Kept beside the
// table by the operator that owns it, and made anew from the table's rows whenever the table says
// that row numbers may have changed. *Thread-compatible.*
class TimeIndex {
 public:
  // Whether what was added still is about the table; `version` is OperatorStates::version().
  bool is_current(const state::HotTable& table, uint64_t version) const {
    return table_ == &table && layout_ == table.layout() && version_ == version;
  }
  // Forgets everything and is about the table from now on. The caller adds its live rows.
  void Begin(const state::HotTable& table, uint64_t version);

  void Add(int64_t time, uint32_t row) { buckets_[time >> kBucketBits].emplace_back(time, row); }
  // Takes the rows with times up to `time` out, earlier buckets first. Some may not be live any
  // more.
  void TakeUpTo(int64_t time, std::vector<uint32_t>* rows);

 private:
  static constexpr int kBucketBits = 20;  // of microseconds: about a second

  const state::HotTable* table_ = nullptr;
  uint64_t layout_ = 0;
  uint64_t version_ = 0;
  std::map<int64_t, std::vector<std::pair<int64_t, uint32_t>>> buckets_;
};

}  // namespace tidemill::worker
