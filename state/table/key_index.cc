#include "state/table/key_index.h"

#include <cstring>
#include <utility>

#include "common/base/check.h"

namespace tidemill::state {

void KeyIndex::Insert(uint32_t tag, uint32_t row) {
  uint64_t position = tag & mask_;
  while (entries_[position].row != kEmpty) position = (position + 1) & mask_;
  Put(position, tag, row);
}

void KeyIndex::Erase(uint32_t tag, uint32_t row) {
  uint64_t hole = tag & mask_;
  while (entries_[hole].row != row) {
    TIDEMILL_CHECK(entries_[hole].row != kEmpty);
    hole = (hole + 1) & mask_;
  }
  // An entry may fill the hole if its probe passes it: its home is not in (hole, position].
  for (uint64_t position = (hole + 1) & mask_; entries_[position].row != kEmpty;
       position = (position + 1) & mask_) {
    const uint64_t home = entries_[position].tag & mask_;
    if (((position - home) & mask_) < ((position - hole) & mask_)) continue;
    entries_[hole] = entries_[position];
    hole = position;
  }
  entries_[hole].row = kEmpty;
  --used_;
}

void KeyIndex::Renumber(const uint32_t* new_rows) {
  for (Entry& entry : entries_)
    if (entry.row != kEmpty) entry.row = new_rows[entry.row];
}

void KeyIndex::RenumberKept(const uint32_t* new_rows, size_t dropped) {
  const size_t kept = used_ - dropped;
  const PodVector<Entry> old = std::exchange(entries_, PodVector<Entry>());
  used_ = 0;
  mask_ = 0;
  Reserve(kept);
  for (const Entry& entry : old)
    if (entry.row != kEmpty && new_rows[entry.row] != kEmpty)
      Insert(entry.tag, new_rows[entry.row]);
  TIDEMILL_CHECK(used_ == kept);
}

void KeyIndex::Clear() {
  if (entries_.empty()) return;
  std::memset(static_cast<void*>(entries_.data()), 0xff, entries_.size() * sizeof(Entry));
  used_ = 0;
}

void KeyIndex::Grow(size_t count) {
  size_t capacity = entries_.empty() ? 32 : entries_.size();
  while ((used_ + count) * 3 > capacity * 2) capacity *= 2;
  if (capacity == entries_.size()) return;
  PodVector<Entry> old = std::move(entries_);
  entries_.Resize(capacity);
  mask_ = capacity - 1;
  const size_t used = used_;
  Clear();
  for (const Entry& entry : old) {
    if (entry.row != kEmpty) Insert(entry.tag, entry.row);
  }
  TIDEMILL_CHECK(used_ == used);
}

}  // namespace tidemill::state
