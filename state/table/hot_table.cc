#include "state/table/hot_table.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "common/base/check.h"
#include "common/base/equal_bytes.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

// Widths of keys known at compile time make comparing a key one instruction.
template <int kBytes>
struct ConstantWidth {
  static constexpr size_t value() { return kBytes; }
};
struct FixedWidth {
  size_t width;
  size_t value() const { return width; }
};
struct VariableWidth {};

// Keys in flight at a time: enough to hide a cache miss, few enough to stay in the nearest cache.
constexpr int64_t kProbeBlock = 64;

}  // namespace

HotTable::HotTable(Options options)
    : keys_(std::move(options.keys)), is_transactional_(options.is_transactional) {
  columns_.reserve(options.values.size());
  for (auto& type : options.values) {
    const int32_t width = FixedWidthOf(*type);
    value_width_ = width < 0 || value_width_ < 0 ? -1 : value_width_ + 1 + width;
    columns_.emplace_back(std::move(type));
  }
}

HotTable::~HotTable() = default;

std::string_view HotTable::key(uint32_t row) const {
  const int32_t width = keys_->width();
  if (width < 0) return VariableKey(row);
  const auto* bytes = reinterpret_cast<const char*>(key_bytes_.data());
  return {bytes + static_cast<size_t>(row) * width, static_cast<size_t>(width)};
}

uint32_t HotTable::AddRow(std::string_view key, uint8_t extra_marks) {
  const uint32_t row = num_rows();
  TIDEMILL_CHECK(row != kNoRow);
  key_bytes_.Append(reinterpret_cast<const uint8_t*>(key.data()), key.size());
  if (keys_->width() < 0) key_ends_.PushBack(key_bytes_.size());
  if (is_transactional_) {
    marks_.PushBack(kLive | kChanged | extra_marks);
    changed_.PushBack(row);
  } else {
    marks_.PushBack(kLive | extra_marks);
  }
  ++live_rows_;
  return row;
}

void HotTable::EnsureNullRow() {
  if (null_row_ != kNoRow) return;
  const char zeros[16] = {};  // no wider key has a NULL flag
  const int32_t width = keys_->width();
  null_row_ = AddRow({zeros, width < 0 ? 0 : static_cast<size_t>(width)}, kNullKey);
}

template <class Width, bool kInsert, class Table>
void HotTable::Probe(Table* table, Width width, const EncodedKeys& keys, Range range,
                     uint32_t* rows) {
  constexpr bool kIsVariable = std::is_same_v<Width, VariableWidth>;
  const uint64_t* hashes = keys.hashes.data();
  const KeyIndex& index = table->index_;
  const auto fetch_entries = [&](int64_t begin) {
    const int64_t end = std::min(range.end, begin + kProbeBlock);
    for (int64_t i = begin; i < end; ++i) index.Prefetch(hashes[i]);
  };
  fetch_entries(range.begin);
  for (int64_t block = range.begin; block < range.end; block += kProbeBlock) {
    const int64_t block_end = std::min(range.end, block + kProbeBlock);
    if constexpr (kInsert) table->index_.Reserve(block_end - block);
    fetch_entries(block_end);  // A block before they are needed, which takes longer than a miss.
    const uint64_t mask = index.mask();
    const KeyIndex::Entry* entries = index.entries();
    for (int64_t i = block; i < block_end; ++i) {
      const uint32_t row = entries[hashes[i] & mask].row;
      if (row == KeyIndex::kEmpty) continue;
      if constexpr (kIsVariable) {
        __builtin_prefetch(table->key_ends_.data() + row);
      } else {
        __builtin_prefetch(table->key_bytes_.data() + row * width.value());
      }
    }
    if constexpr (kIsVariable) {
      for (int64_t i = block; i < block_end; ++i) {
        const uint32_t row = entries[hashes[i] & mask].row;
        if (row != KeyIndex::kEmpty) __builtin_prefetch(table->VariableKey(row).data());
      }
    }
    for (int64_t i = block; i < block_end; ++i) {
      if (keys.IsNull(i)) {
        if constexpr (kInsert) table->EnsureNullRow();
        *rows++ = table->null_row_;
        continue;
      }
      const uint32_t tag = KeyIndex::TagOf(hashes[i]);
      uint64_t position = hashes[i] & mask;
      uint32_t row;
      while ((row = entries[position].row) != KeyIndex::kEmpty) {
        if (entries[position].tag == tag) {
          if constexpr (kIsVariable) {
            const std::string_view known = table->VariableKey(row);
            const std::string_view wanted = keys.Key(i);
            if (known.size() == wanted.size() &&
                EqualBytes(known.data(), wanted.data(), wanted.size())) {
              break;
            }
          } else {
            const size_t bytes = width.value();
            if (bytes == 0) break;
            const uint8_t* known = table->key_bytes_.data() + row * bytes;
            if (EqualBytes(known, keys.data + i * bytes, bytes)) break;
          }
        }
        position = (position + 1) & mask;
      }
      if constexpr (kInsert) {
        if (row == KeyIndex::kEmpty) {
          row = table->AddRow(keys.Key(i), 0);
          table->index_.Put(position, tag, row);
        }
      }
      *rows++ = row;
    }
  }
}

template <bool kInsert, class Table>
void HotTable::Dispatch(Table* table, const EncodedKeys& keys, Range range, uint32_t* rows) {
  TIDEMILL_CHECK(keys.width == table->keys_->width());
  switch (keys.width) {
    case -1:
      return Probe<VariableWidth, kInsert>(table, {}, keys, range, rows);
    case 4:
      return Probe<ConstantWidth<4>, kInsert>(table, {}, keys, range, rows);
    case 8:
      return Probe<ConstantWidth<8>, kInsert>(table, {}, keys, range, rows);
    default:
      return Probe<FixedWidth, kInsert>(table, {static_cast<size_t>(keys.width)}, keys, range,
                                        rows);
  }
}

void HotTable::FindOrInsert(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows,
                            uint8_t* is_new) {
  const uint32_t first_new = num_rows();
  CatchUpIndex();
  Dispatch<true>(this, keys, {begin, end}, rows);
  indexed_rows_ = num_rows();
  AddValues(first_new);
  if (is_new == nullptr) return;
  // New rows are numbered in the order of their first key: a key is new where its row is the next.
  uint32_t next = first_new;
  for (int64_t i = 0; i < end - begin; ++i) {
    is_new[i] = rows[i] == next ? 1 : 0;
    next += is_new[i];
  }
}

void HotTable::AddValues(uint32_t first_new) {
  const uint32_t added = num_rows() - first_new;
  if (added == 0) return;
  for (StateColumn& column : columns_) column.AddRows(added);
}

void HotTable::Append(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows) {
  const uint32_t first_new = num_rows();
  const int64_t count = end - begin;
  if (count == 0) return;
  TIDEMILL_CHECK(count < static_cast<int64_t>(kNoRow) - first_new);
  if (const int32_t width = keys_->width(); width >= 0) {
    key_bytes_.Append(keys.data + begin * width, count * width);
  } else {
    const uint64_t base = key_bytes_.size() - keys.offsets[begin];
    key_bytes_.Append(keys.data + keys.offsets[begin], keys.offsets[end] - keys.offsets[begin]);
    key_ends_.Resize(first_new + count);
    for (int64_t i = 0; i < count; ++i) {
      key_ends_[first_new + i] = base + keys.offsets[begin + i + 1];
    }
  }
  marks_.Resize(first_new + count);
  std::memset(marks_.data() + first_new, is_transactional_ ? kLive | kChanged : kLive, count);
  std::iota(rows, rows + count, first_new);
  if (is_transactional_) changed_.Append(rows, count);
  live_rows_ += count;
  AddValues(first_new);
}

void HotTable::Find(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows) {
  CatchUpIndex();
  if (index_.entries() != nullptr) return Dispatch<false>(this, keys, {begin, end}, rows);
  for (int64_t i = begin; i < end; ++i) *rows++ = kNoRow;
}

void HotTable::Touch(std::span<const uint32_t> rows) {
  if (!is_transactional_) return;
  const size_t before = changed_.size();
  for (const uint32_t row : rows) {
    if ((marks_[row] & kChanged) != 0) continue;
    marks_[row] |= kChanged;
    // A row that came or came back in this epoch is no more in use than any other.
    if (row < epoch_first_row_ && (marks_[row] & kUses) != kUses) marks_[row] += kOneUse;
    changed_.PushBack(row);
  }
  const std::span<const uint32_t> added(changed_.data() + before, changed_.size() - before);
  if (added.empty()) return;
  undo_rows_.Append(added.data(), added.size());
  for (StateColumn& column : columns_) column.SaveUndo(added);
}

void HotTable::Erase(std::span<const uint32_t> rows) {
  TIDEMILL_CHECK(is_transactional_);
  Touch(rows);
  for (const uint32_t row : rows) {
    if (!is_live(row)) continue;
    RemoveFromIndex(row);
    marks_[row] &= static_cast<uint8_t>(~kLive);
    --live_rows_;
    if (cold_ != nullptr && is_flushed_key(row)) cold_->removed.emplace(key(row));
  }
}

uint32_t HotTable::TagOf(uint32_t row) const { return KeyIndex::TagOf(keys_->HashOf(key(row))); }

void HotTable::CatchUpIndex() {
  if (indexed_rows_ == num_rows()) return;
  index_.Reserve(num_rows() - indexed_rows_);
  for (; indexed_rows_ < num_rows(); ++indexed_rows_) {
    if (is_live(indexed_rows_)) index_.Insert(TagOf(indexed_rows_), indexed_rows_);
  }
}

void HotTable::RemoveFromIndex(uint32_t row) {
  if (is_null_key(row)) {
    null_row_ = kNoRow;
  } else if (row < indexed_rows_) {
    index_.Erase(TagOf(row), row);
  }
}

void HotTable::ReturnToIndex(uint32_t row) {
  if (is_null_key(row)) {
    null_row_ = row;
  } else if (row < indexed_rows_) {
    index_.Reserve(1);
    index_.Insert(TagOf(row), row);
  }
}

void HotTable::CommitEpoch(int64_t epoch) {
  TIDEMILL_CHECK(is_transactional_);
  if (!changed_.empty()) last_changed_epoch_ = epoch;
  for (const uint32_t row : changed_) {
    marks_[row] &= static_cast<uint8_t>(~kChanged);
    if (is_live(row)) {
      marks_[row] |= kDirty;
      continue;
    }
    ++holes_;
    if ((marks_[row] & kCaptured) != 0) RecordRemoval(row);
  }
  changed_.Clear();
  undo_rows_.Clear();
  for (StateColumn& column : columns_) column.EndEpoch();
  if (holes_ > 64 && holes_ > live_rows_) DropHoles();
  for (StateColumn& column : columns_)
    if (column.wants_compaction()) column.CompactBytes();
  epoch_first_row_ = num_rows();
}

void HotTable::UndoEpoch() {
  TIDEMILL_CHECK(is_transactional_);
  ++layout_;
  if (cold_ != nullptr) UndoCold();
  // What came or came back in the epoch goes; of the latter, some have undo values.
  for (uint32_t row = epoch_first_row_; row < num_rows(); ++row) {
    if (!is_live(row)) continue;
    RemoveFromIndex(row);
    --live_rows_;
  }
  for (const uint32_t row : undo_rows_) {
    marks_[row] &= static_cast<uint8_t>(~kChanged);
    if (is_live(row) || row >= epoch_first_row_) continue;
    marks_[row] |= kLive;
    ++live_rows_;
    ReturnToIndex(row);
  }
  for (StateColumn& column : columns_) {
    column.RestoreUndo({undo_rows_.data(), undo_rows_.size()});
    column.TruncateForUndo(epoch_first_row_);
    column.EndEpoch();
  }
  const uint32_t rows = epoch_first_row_;
  indexed_rows_ = std::min(indexed_rows_, rows);
  marks_.Resize(rows);
  if (const int32_t width = keys_->width(); width >= 0) {
    key_bytes_.Resize(static_cast<size_t>(rows) * width);
  } else {
    key_ends_.Resize(rows);
    key_bytes_.Resize(rows == 0 ? 0 : key_ends_[rows - 1]);
  }
  changed_.Clear();
  undo_rows_.Clear();
}

void HotTable::Clear() {
  ++layout_;
  index_.Clear();
  indexed_rows_ = 0;
  null_row_ = kNoRow;
  marks_.Clear();
  key_ends_.Clear();
  key_bytes_.Clear();
  for (StateColumn& column : columns_) column.Clear();
  changed_.Clear();
  undo_rows_.Clear();
  epoch_first_row_ = 0;
  live_rows_ = 0;
  holes_ = 0;
  last_changed_epoch_ = -1;
  tombstones_.reset();
  cold_.reset();
}

void HotTable::DropHoles() {
  std::vector<uint32_t> kept;
  LiveRows(&kept);
  KeepRows(kept, 0);
}

// Renumbers the kept rows without gaps; `evicted` are live and go, the others are holes. Only at an
// epoch's end: rows have no undo values then.
void HotTable::KeepRows(const std::vector<uint32_t>& kept, size_t evicted) {
  ++layout_;
  if (evicted > 0) CatchUpIndex();
  std::vector<uint32_t> new_rows(num_rows(), kNoRow);
  PodVector<uint8_t> bytes;
  PodVector<uint64_t> ends;
  size_t total = 0;
  for (const uint32_t row : kept) total += key(row).size();
  bytes.Resize(total + total / 4);
  bytes.Clear();
  for (uint32_t i = 0; i < kept.size(); ++i) {
    const std::string_view key_bytes = key(kept[i]);
    bytes.Append(reinterpret_cast<const uint8_t*>(key_bytes.data()), key_bytes.size());
    if (keys_->width() < 0) ends.PushBack(bytes.size());
    marks_[i] = marks_[kept[i]];
    new_rows[kept[i]] = i;
  }
  key_bytes_ = std::move(bytes);
  key_ends_ = std::move(ends);
  marks_.Resize(kept.size());
  for (StateColumn& column : columns_) column.KeepRows(kept);
  if (evicted > 0) {
    index_.RenumberKept(new_rows.data(), evicted);
  } else {
    index_.Renumber(new_rows.data());
  }
  indexed_rows_ = static_cast<uint32_t>(std::lower_bound(kept.begin(), kept.end(), indexed_rows_) -
                                        kept.begin());
  if (null_row_ != kNoRow) null_row_ = new_rows[null_row_];
  holes_ = 0;
}

void HotTable::LiveRows(std::vector<uint32_t>* rows) const {
  rows->clear();
  rows->reserve(live_rows_);
  for (uint32_t row = 0; row < num_rows(); ++row)
    if (is_live(row)) rows->push_back(row);
}

int64_t HotTable::memory_bytes() const {
  int64_t bytes = index_.memory_bytes() + marks_.memory_bytes() + key_ends_.memory_bytes() +
                  key_bytes_.memory_bytes() + changed_.memory_bytes() + undo_rows_.memory_bytes();
  for (const StateColumn& column : columns_) bytes += column.memory_bytes();
  if (tombstones_ != nullptr)
    bytes += tombstones_->keys.memory_bytes() + tombstones_->key_offsets.memory_bytes();
  return bytes + cold_bytes();
}

}  // namespace tidemill::state
