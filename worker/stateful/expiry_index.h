#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/operators/event_time.h"
#include "worker/operators/operator_states.h"
#include "worker/stateful/time_index.h"

namespace tidemill::worker {

// The rows of one operator by the time at which they expire, for each of its key groups.
// *Thread-compatible.*
class ExpiryIndex {
 public:
  // The times of some live rows of a table, in their order; none for a row that never expires.
  using TimesOf = std::function<arrow::Result<std::vector<std::optional<int64_t>>>(
      const state::HotTable& table, std::span<const uint32_t> rows)>;
  // The event times of keys; NULL never expires.
  static TimesOf OfKeys(EventTimeColumn key);
  // A value column of eight bytes; NULL never expires.
  static TimesOf OfValues(int column);

  // `states` must outlive this.
  ExpiryIndex(const OperatorStates* states, TimesOf times)
      : states_(states), times_(std::move(times)) {}

  // Where to add the times of rows that are new or have got another time. Null where it is not
  // worth while: the index will be made anew from the table's rows.
  TimeIndex* Writable(uint32_t key_group, const state::HotTable& table);
  // Takes the live rows with times up to `time` out, each once. Where a row has got a later time
  // since, it is among them all the same.
  arrow::Result<std::vector<uint32_t>> TakeUpTo(uint32_t key_group, const state::HotTable& table,
                                                int64_t time);

 private:
  arrow::Status Rebuild(const state::HotTable& table, TimeIndex* index) const;

  const OperatorStates* const states_;
  const TimesOf times_;
  std::map<uint32_t, TimeIndex> indexes_;  // by key group
};

}  // namespace tidemill::worker
