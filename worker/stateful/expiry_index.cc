#include "worker/stateful/expiry_index.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <algorithm>

#include "common/base/check.h"
#include "worker/operators/operator.h"

namespace tidemill::worker {

ExpiryIndex::TimesOf ExpiryIndex::OfKeys(EventTimeColumn key) {
  return
      [key](const state::HotTable& table,
            std::span<const uint32_t> rows) -> arrow::Result<std::vector<std::optional<int64_t>>> {
        ARROW_ASSIGN_OR_RAISE(auto keys, table.KeyArrays(rows, arrow::default_memory_pool()));
        const EventTimes times(keys[key.column], key.span_us);
        std::vector<std::optional<int64_t>> result(rows.size());
        for (size_t i = 0; i < rows.size(); ++i) {
          const auto row = static_cast<int64_t>(i);
          if (!times.is_null(row)) result[i] = times.at(row);
        }
        return result;
      };
}

ExpiryIndex::TimesOf ExpiryIndex::OfValues(int column) {
  return [column](
             const state::HotTable& table,
             std::span<const uint32_t> rows) -> arrow::Result<std::vector<std::optional<int64_t>>> {
    const state::StateColumn& values = table.column(column);
    std::vector<std::optional<int64_t>> result(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (values.validity()[rows[i]] != 0) result[i] = values.values<int64_t>()[rows[i]];
    }
    return result;
  };
}

TimeIndex* ExpiryIndex::Writable(uint32_t key_group, const state::HotTable& table) {
  TimeIndex& index = indexes_[key_group];
  return index.is_current(table, states_->version()) ? &index : nullptr;
}

// Adds all live rows: after a restore, an undone epoch or a renumbering.
arrow::Status ExpiryIndex::Rebuild(const state::HotTable& table, TimeIndex* index) const {
  index->Begin(table, states_->version());
  TIDEMILL_CHECK(table.cold_rows() == 0);  // StatefulOperator::is_evictable
  std::vector<uint32_t> live;
  table.LiveRows(&live);
  for (size_t begin = 0; begin < live.size(); begin += kEmitRows) {
    const auto rows =
        std::span(live).subspan(begin, std::min<size_t>(kEmitRows, live.size() - begin));
    ARROW_ASSIGN_OR_RAISE(const auto times, times_(table, rows));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (times[i]) index->Add(*times[i], rows[i]);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<uint32_t>> ExpiryIndex::TakeUpTo(uint32_t key_group,
                                                           const state::HotTable& table,
                                                           int64_t time) {
  TimeIndex& index = indexes_[key_group];
  if (!index.is_current(table, states_->version())) ARROW_RETURN_NOT_OK(Rebuild(table, &index));
  std::vector<uint32_t> rows;
  index.TakeUpTo(time, &rows);
  std::erase_if(rows, [&](uint32_t row) { return !table.is_live(row); });
  return rows;
}

}  // namespace tidemill::worker
