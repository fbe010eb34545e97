#include "worker/stateful/time_to_live.h"

#include <vector>

namespace tidemill::worker {

arrow::Result<int64_t> TimeToLive::Expire(uint32_t key_group, state::HotTable* table) {
  if (ttl_us_ == 0) return 0;
  const auto [done, is_first] = removed_.try_emplace(key_group, 0);
  if (!is_first) return done->second;
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint32_t> rows,
                        expiry_.TakeUpTo(key_group, *table, now_us_));
  const int64_t* const ends = table->column(column_).values<int64_t>();
  TimeIndex* const index = expiry_.Writable(key_group, *table);
  std::vector<uint32_t> over;
  for (const uint32_t row : rows) {
    if (ends[row] <= now_us_) {
      over.push_back(row);
    } else {
      index->Add(ends[row], row);
    }
  }
  table->Erase(over);
  return done->second = static_cast<int64_t>(over.size());
}

void TimeToLive::Set(uint32_t key_group, std::span<const uint32_t> rows,
                     std::span<const uint8_t> is_new, bool only_new, state::HotTable* table) {
  if (ttl_us_ == 0) return;
  const int64_t end = now_us_ + ttl_us_;
  int64_t* const ends = table->column(column_).values<int64_t>();
  uint8_t* const validity = table->column(column_).validity();
  TimeIndex* const index = expiry_.Writable(key_group, *table);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (only_new && is_new[i] == 0) continue;
    ends[rows[i]] = end;
    validity[rows[i]] = 1;
    if (index != nullptr && is_new[i] != 0) index->Add(end, rows[i]);
  }
}

}  // namespace tidemill::worker
