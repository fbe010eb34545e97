#pragma once

#include <cstdint>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// Open-addressing hash index from key hashes to rows: linear probing, at most two thirds full. An
// entry is a row and its tag, the low half of the hash, whose low bits are its home position. (The
// high half chose the key group: all keys of a table share those bits.) The index does not know the
// keys: the caller compares them where tags are equal. *Thread-compatible.*
class KeyIndex {
 public:
  static constexpr uint32_t kEmpty = 0xffffffffu;

  struct Entry {
    uint32_t tag;
    uint32_t row;  // kEmpty
  };
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }

  const Entry* entries() const { return entries_.data(); }
  uint64_t mask() const { return mask_; }  // number of entries - 1
  size_t size() const { return used_; }
  void Prefetch(uint64_t hash) const { __builtin_prefetch(entries_.data() + (hash & mask_)); }

  // Makes room for `count` more entries. Before the first call there is no entry at all.
  void Reserve(size_t count) {
    if ((used_ + count) * 3 > entries_.size() * 2 || entries_.empty()) Grow(count);
  }
  // Writes into the empty entry that a probe ended at.
  void Put(uint64_t position, uint32_t tag, uint32_t row) {
    entries_[position] = {tag, row};
    ++used_;
  }
  // Adds a row that is not in the index; there must be room.
  void Insert(uint32_t tag, uint32_t row);
  // Removes a row that is in the index; later entries move up so that no gap breaks a probe.
  void Erase(uint32_t tag, uint32_t row);
  // Gives every row its new number; there is none for rows that are not in the index.
  void Renumber(const uint32_t* new_rows);
  // The same where `dropped` rows of the index have no new number (kEmpty): they leave it, and
  // memory that is not needed then is given back.
  void RenumberKept(const uint32_t* new_rows, size_t dropped);
  void Clear();  // keeps capacity
  int64_t memory_bytes() const { return entries_.memory_bytes(); }

 private:
  void Grow(size_t count);

  PodVector<Entry> entries_;
  uint64_t mask_ = 0;
  size_t used_ = 0;
};

}  // namespace tidemill::state
