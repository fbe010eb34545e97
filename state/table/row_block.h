#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// Rows on their way between the tiers: encoded key, and encoded values (row_codec.h) or a
// tombstone. *Thread-compatible.*
struct RowBlock {
  static constexpr uint8_t kTombstone = 1;  // the key was removed; its value means nothing
  static constexpr uint8_t kNullKey = 2;    // NULL of a single-column key; its bytes mean nothing

  uint32_t num_rows = 0;
  int32_t key_width = -1;             // -1: variable, key_offsets is used
  int32_t value_width = -1;           // -1: variable, value_offsets is used
  PodVector<uint8_t> flags;           // num_rows
  PodVector<uint64_t> key_offsets;    // num_rows + 1, or empty
  PodVector<uint64_t> value_offsets;  // num_rows + 1, or empty
  PodVector<uint8_t> keys;
  PodVector<uint8_t> values;

  std::string_view Key(uint32_t i) const { return Slice(keys, key_offsets, key_width, i); }
  std::string_view Value(uint32_t i) const { return Slice(values, value_offsets, value_width, i); }
  int64_t memory_bytes() const {
    return flags.memory_bytes() + key_offsets.memory_bytes() + value_offsets.memory_bytes() +
           keys.memory_bytes() + values.memory_bytes();
  }
  void Clear(int32_t new_key_width, int32_t new_value_width);
  // A value of a tombstone is empty; it is padded to the fixed width. Widths must fit (CHECK).
  void AppendRow(uint8_t row_flags, std::string_view key, std::string_view value);

 private:
  static std::string_view Slice(const PodVector<uint8_t>& bytes, const PodVector<uint64_t>& offsets,
                                int32_t width, uint32_t i) {
    const auto* begin = reinterpret_cast<const char*>(bytes.data());
    if (width >= 0) return {begin + static_cast<size_t>(width) * i, static_cast<size_t>(width)};
    return {begin + offsets[i], offsets[i + 1] - offsets[i]};
  }
};

// Appends the block's bytes (format in row_block.cc).
void SerialiseRowBlock(const RowBlock& block, PodVector<uint8_t>* out);
// Reads exactly `bytes`. Errors: CHECKPOINT_CORRUPT (kCorrupt) where they are no block.
arrow::Status ParseRowBlock(std::string_view bytes, RowBlock* out);

}  // namespace tidemill::state
