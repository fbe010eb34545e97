#pragma once

#include <cstdint>

#include "state/pod_vector.h"

namespace tidemill::state {

// Open-addressing hash index from key hashes to rows: linear probing, entries of a 32-bit tag and a
// row, at most two thirds full. It does not know the keys: the caller compares them where tags are
// equal. *Thread-compatible.*
class KeyIndex {
 public:
  static constexpr uint32_t kEmpty = 0xffffffffu;

  struct Entry {
    uint32_t tag;
    uint32_t row;  // kEmpty
  };
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

  const Entry* entries() const { return entries_.data(); }
  uint64_t mask() const { return mask_; }  // number of entries - 1
  size_t size() const { return used_; }
  void Prefetch(uint64_t hash) const { __builtin_prefetch(entries_.data() + (hash & mask_)); }

  // Makes room for `count` more entries, rehashing with `hashes` (by row) where it must grow. There
  // is room for one entry after any call; without one the index has no entries at all.
  void Reserve(size_t count, const uint64_t* hashes) {
    if ((used_ + count) * 3 > entries_.size() * 2 || entries_.empty()) Grow(count, hashes);
  }
  // Writes into the empty entry that a probe ended at.
  void Put(uint64_t position, uint64_t hash, uint32_t row) {
    entries_[position] = {TagOf(hash), row};
    ++used_;
  }
  // Adds a row that is not in the index; there must be room.
  void Insert(uint64_t hash, uint32_t row);
  // Removes a row that is in the index; later entries move up so that no gap breaks a probe.
  void Erase(uint64_t hash, uint32_t row, const uint64_t* hashes);
  void Clear();  // keeps capacity
  int64_t memory_bytes() const { return entries_.memory_bytes(); }

 private:
  void Grow(size_t count, const uint64_t* hashes);

  PodVector<Entry> entries_;
  uint64_t mask_ = 0;
  size_t used_ = 0;
};

}  // namespace tidemill::state
