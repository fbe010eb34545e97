#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// The key group of a key: the high bits of its hash. Global aggregates (no key column) hash to 0.
inline uint32_t KeyGroupOf(uint64_t hash, uint32_t num_groups) {
  return static_cast<uint32_t>(((hash >> 32) * num_groups) >> 32);
}

// Hash of the NULL key of a single-column key. Part of hash version 1.
inline constexpr uint64_t kNullKeyHash = 0x9ae16a3b2f90404fULL;

// A batch of keys as bytes with their hashes. Either points into the Arrow arrays it was made from
// (kept alive here) or into its own scratch memory, which is kept from batch to batch: reuse one
// object. *Thread-compatible.*
struct EncodedKeys {
  int32_t num_keys = 0;
  int32_t width = 0;              // >= 0: key i is data[i * width, (i + 1) * width)
  const uint8_t* data = nullptr;  // width < 0: key i is data[offsets[i], offsets[i + 1])
  const int32_t* offsets = nullptr;
  const uint8_t* valid_bits = nullptr;  // Arrow bitmap from bit valid_offset; nullptr: no NULL.
  int64_t valid_offset = 0;             // Single-column keys only; else NULL is within the bytes
  PodVector<uint64_t> hashes;           // num_keys

  // The bytes of a NULL single-column key are undefined: ask IsNull first.
  std::string_view Key(int64_t i) const {
    const auto* bytes = reinterpret_cast<const char*>(data);
    if (width >= 0) return {bytes + i * width, static_cast<size_t>(width)};
    return {bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  bool IsNull(int64_t i) const {
    if (valid_bits == nullptr) return false;
    const int64_t bit = valid_offset + i;
    return ((valid_bits[bit >> 3] >> (bit & 7)) & 1) == 0;
  }

  std::vector<std::shared_ptr<arrow::Array>> arrays;  // what `data` points into, if not below
  PodVector<uint8_t> scratch_bytes;
  PodVector<int32_t> scratch_offsets;
  PodVector<uint8_t> scratch_bits;
};

// Turns key columns into bytes that are equal exactly where Spark's grouping says the keys are
// equal (-0.0 = 0.0, NaN = NaN, NULL = NULL), and back. Row codec version 1, part of the checkpoint
// format:
//   no column: no bytes. One fixed-width column: its little-endian value (BOOLEAN: one byte). One
//   STRING or BINARY column: its bytes. NULL in these two is a flag beside the bytes.
//   Anything else: per column what row_codec.h says.
// The hash is Hash64 of the bytes; kNullKeyHash for a flagged NULL; 0 without key columns.
// *Immutable.*
class KeyCodec {
 public:
  // Errors: GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE (kInvalid) where a type is or holds a MAP.
  static arrow::Result<std::shared_ptr<const KeyCodec>> Make(
      std::vector<std::shared_ptr<arrow::DataType>> types);
  ~KeyCodec();

  // Encodes `rows` keys. `columns` have the constructor's types and `rows` rows each (none at all
  // for a global aggregate). Single flat columns are not copied, unless floats must be normalised.
  // Errors: KEYS_TOO_LARGE (kResource) where the batch encodes to 2 GiB or more.
  arrow::Status Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows,
                       EncodedKeys* out) const;
  // The key columns again, one array per type (floats normalised). Reads no hashes.
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> Decode(const EncodedKeys& keys,
                                                                   arrow::MemoryPool* pool) const;

  // The hash of one encoded key that is not a flagged NULL.
  uint64_t HashOf(std::string_view key) const;

  int32_t width() const { return width_; }  // of every key; -1 where they differ
  // NULL is a flag beside the bytes (exactly one column, not nested).
  bool has_null_flag() const { return kind_ == Kind::kFixed || kind_ == Kind::kBytes; }
  const std::vector<std::shared_ptr<arrow::DataType>>& types() const { return types_; }

 private:
  enum class Kind { kGlobal, kFixed, kBytes, kRow };
  explicit KeyCodec(std::vector<std::shared_ptr<arrow::DataType>> types);
  void EncodeFixed(const std::shared_ptr<arrow::Array>& column, EncodedKeys* out) const;
  void EncodeBytes(const std::shared_ptr<arrow::Array>& column, EncodedKeys* out) const;
  arrow::Status EncodeRows(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                           EncodedKeys* out) const;

  const std::vector<std::shared_ptr<arrow::DataType>> types_;
  Kind kind_ = Kind::kGlobal;
  int32_t width_ = 0;
};

}  // namespace tidemill::state
