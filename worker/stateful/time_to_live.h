#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <span>

#include "state/table/hot_table.h"
#include "worker/operators/operator_states.h"
#include "worker/stateful/expiry_index.h"

namespace tidemill::worker {

// Forgets rows that were not renewed for a while (setting state.ttl), by the times of epochs: state
// that no watermark bounds. What is over is removed before the first row of an epoch touches its
// table, so a key that comes back begins anew, as with table.exec.state.ttl of Flink SQL. Costs
// what it removes, and a look at each row once per time to live. *Thread-compatible.*
class TimeToLive {
 public:
  // `column`: the value column (int64) for when a row goes, microseconds since 1970. `ttl_us` 0:
  // rows stay, the column need not exist. `states` must outlive this.
  TimeToLive(const OperatorStates* states, int column, int64_t ttl_us)
      : column_(column), ttl_us_(ttl_us), expiry_(states, ExpiryIndex::OfValues(column)) {}

  void Begin(int64_t epoch_time_us) { now_us_ = epoch_time_us; }
  // Forgets the epoch.
  void Reset() { removed_.clear(); }

  // Removes what is over by the time of the epoch; the first time in an epoch. Returns how many
  // rows of the key group that were.
  arrow::Result<int64_t> Expire(uint32_t key_group, state::HotTable* table);
  // Rows of this epoch live from now on, those that are not new, too; repeats are cheap. The table
  // knows that they change (Touch).
  void Renew(uint32_t key_group, std::span<const uint32_t> rows, std::span<const uint8_t> is_new,
             state::HotTable* table) {
    Set(key_group, rows, is_new, /*only_new=*/false, table);
  }
  // Only those that are new.
  void Start(uint32_t key_group, std::span<const uint32_t> rows, std::span<const uint8_t> is_new,
             state::HotTable* table) {
    Set(key_group, rows, is_new, /*only_new=*/true, table);
  }

 private:
  void Set(uint32_t key_group, std::span<const uint32_t> rows, std::span<const uint8_t> is_new,
           bool only_new, state::HotTable* table);

  const int column_;
  const int64_t ttl_us_;
  int64_t now_us_ = 0;
  ExpiryIndex expiry_;                   // of a row, a time that is not later than its own
  std::map<uint32_t, int64_t> removed_;  // in this epoch, by key group
};

}  // namespace tidemill::worker
