#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/operators/operator.h"

namespace tidemill::worker {

// How far a stateful operator is in emitting one key group's rows behind the input of an epoch.
// *Thread-compatible.*
class GroupEmission {
 public:
  bool has_begun() const { return has_begun_; }
  void BeginAll() { has_begun_ = true; }
  void BeginRows(std::vector<uint32_t> rows) {
    has_begun_ = is_list_ = true;
    rows_ = std::move(rows);
  }
  // The next live rows, up to kEmitRows; none when all have been given.
  void Pick(const state::HotTable& table, std::vector<uint32_t>* rows) {
    rows->clear();
    const size_t end = is_list_ ? rows_.size() : table.num_rows();
    for (; next_ < end && rows->size() < kEmitRows; ++next_) {
      const uint32_t row = is_list_ ? rows_[next_] : static_cast<uint32_t>(next_);
      if (table.is_live(row)) rows->push_back(row);
    }
  }

 private:
  bool has_begun_ = false;
  bool is_list_ = false;
  std::vector<uint32_t> rows_;
  size_t next_ = 0;  // into rows_, or the next row of the table
};

}  // namespace tidemill::worker
