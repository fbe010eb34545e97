// Rows of a hot table that leave memory for the tier below and come back.
#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/check.h"
#include "state/table/hot_table.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

int64_t HotTable::cold_rows() const { return cold_ == nullptr ? 0 : cold_->rows; }

int64_t HotTable::cold_bytes() const { return cold_ == nullptr ? 0 : cold_->filter.memory_bytes(); }

HotTable::ColdCounters HotTable::TakeColdCounters() {
  if (cold_ == nullptr) return {};
  return {std::exchange(cold_->keys, 0), std::exchange(cold_->lookups, 0),
          std::exchange(cold_->found, 0)};
}

int64_t HotTable::EvictClean(int64_t max_rows, std::shared_ptr<const ColdRows> source,
                             int64_t max_cold_bytes) {
  TIDEMILL_CHECK(is_transactional_ && changed_.empty());
  if (cold_ == nullptr) cold_ = std::make_unique<ColdSide>();
  cold_->source = std::move(source);
  cold_->removed.clear();
  for (uint32_t i = 0; tombstones_ != nullptr && i < tombstones_->num_rows; ++i) {
    if ((tombstones_->flags[i] & RowBlock::kNullKey) == 0)
      cold_->removed.emplace(tombstones_->Key(i));
  }
  // The row of NULL stays: it is one row, and lookups need not know of it.
  const auto may_leave = [this](uint32_t row) {
    return (marks_[row] & (kLive | kDirty | kCaptured | kNullKey)) == (kLive | kCaptured);
  };
  // By number of uses. Rows that are asked for again and again stay while those that were asked for
  // once pass by them; a use is forgotten only where there are too many rows with more of them than
  // none (as in the CLOCK of several bits, and the queues of S3-FIFO, Yang et al. 2023).
  int64_t leaving[kUses / kOneUse + 1] = {};
  for (uint32_t row = 0; row < num_rows(); ++row) {
    if (may_leave(row)) ++leaving[UsesOf(row)];
  }
  int64_t evicted = 0;
  uint8_t forgotten = 0;  // uses
  for (uint8_t uses = 0; uses < std::size(leaving); ++uses) {
    if (leaving[uses] > 0 && evicted < max_rows) forgotten = uses;
    leaving[uses] = std::min(leaving[uses], max_rows - evicted);
    evicted += leaving[uses];
  }
  if (evicted <= 0) return 0;
  cold_->filter.Reserve(evicted);
  std::vector<uint32_t> kept;
  kept.reserve(live_rows_ - evicted);
  for (uint32_t row = 0; row < num_rows(); ++row) {
    if (!is_live(row)) continue;
    int64_t& left = leaving[UsesOf(row)];
    if (left > 0 && may_leave(row)) {
      --left;
      cold_->filter.Add(TagOf(row));
      continue;
    }
    kept.push_back(row);
    marks_[row] -= std::min(UsesOf(row), forgotten) * kOneUse;
  }
  cold_->filter.ShrinkTo(max_cold_bytes);
  KeepRows(kept, evicted);
  live_rows_ -= evicted;
  epoch_first_row_ = num_rows();
  cold_->rows += evicted;
  marks_.Shrink();
  changed_.Shrink();
  undo_rows_.Shrink();
  for (StateColumn& column : columns_) column.Shrink();
  return evicted;
}

arrow::Status HotTable::AdmitFromCold(const EncodedKeys& keys, int64_t begin, int64_t end) {
  cold_->keys += end - begin;
  std::vector<uint32_t> rows(end - begin);
  Find(keys, begin, end, rows.data());
  std::vector<uint32_t> picked;
  for (int64_t i = begin; i < end; ++i) {
    if (rows[i - begin] != kNoRow || keys.IsNull(i)) continue;
    if (!cold_->filter.MayContain(KeyIndex::TagOf(keys.hashes[i]))) continue;
    if (!cold_->removed.empty() && cold_->removed.contains(std::string(keys.Key(i)))) continue;
    picked.push_back(static_cast<uint32_t>(i));
  }
  if (picked.empty()) return arrow::Status::OK();
  std::sort(picked.begin(), picked.end(),
            [&](uint32_t a, uint32_t b) { return keys.Key(a) < keys.Key(b); });
  const auto last = std::unique(picked.begin(), picked.end(),
                                [&](uint32_t a, uint32_t b) { return keys.Key(a) == keys.Key(b); });
  picked.erase(last, picked.end());
  RowBlock block;
  block.Clear(key_width(), value_width_);
  ARROW_RETURN_NOT_OK(cold_->source->Read(keys, picked, &block));
  cold_->lookups += static_cast<int64_t>(picked.size());
  cold_->found += block.num_rows;
  return block.num_rows == 0 ? arrow::Status::OK() : Admit(block);
}

// Adds rows of the tier below: none of their keys is here, as they were captured, not changed.
arrow::Status HotTable::Admit(const RowBlock& block) {
  if (block.num_rows > cold_->rows) return CorruptState("more rows came back than were evicted");
  const uint32_t first = num_rows();
  const size_t changed = changed_.size();
  std::vector<uint32_t> rows(block.num_rows);
  EncodedKeys keys;
  ARROW_RETURN_NOT_OK(KeysOf(block, 0, block.num_rows, &keys));
  FindOrInsert(keys, 0, block.num_rows, rows.data(), nullptr);
  if (num_rows() - first != block.num_rows) return CorruptState("a row came back twice");
  ARROW_RETURN_NOT_OK(ReadValues(block, 0, rows));
  for (const uint32_t row : rows) marks_[row] = kLive | kCaptured;
  changed_.Resize(changed);
  cold_->rows -= block.num_rows;
  return arrow::Status::OK();
}

// Makes cold again what came back in the open epoch, which is about to be undone.
void HotTable::UndoCold() {
  for (const uint32_t row : changed_) {
    if (!is_live(row) && is_flushed_key(row)) cold_->removed.erase(std::string(key(row)));
  }
  for (uint32_t row = epoch_first_row_; row < num_rows(); ++row)
    if ((marks_[row] & kCaptured) != 0) ++cold_->rows;
}

}  // namespace tidemill::state
