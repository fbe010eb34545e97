#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

#include "state/table/pod_vector.h"

// Row codec version 1: how values become bytes in keys, changelogs and RocksDB. Part of the
// checkpoint format. Little-endian. A column is a presence byte (0 = NULL, 1 = value), then
//   fixed width (see FixedWidthOf): the value; zeros for NULL, so that the width is the same
//   STRING, BINARY: varint (LEB128) length, bytes; nothing for NULL
//   ARRAY: varint count, then each element as a column; nothing for NULL
//   MAP: varint count, then each key and value as two columns; nothing for NULL (never in keys)
//   STRUCT: each field as a column; nothing for NULL
// A row is its columns one after the other. Decoders take the types from the plan.
namespace tidemill::state {

inline constexpr uint8_t kRowCodecVersion = 1;

// Bytes of a value: VOID 0, BOOLEAN 1, integers, FLOAT, DOUBLE, DATE 4, TIMESTAMP 8, DECIMAL 16;
// -1 for every other type.
int32_t FixedWidthOf(const arrow::DataType& type);
bool IsNestedType(const arrow::DataType& type);

// Appends one value as a column. `normalise` makes -0.0 and the NaNs one value each, as keys need.
// The type must be one of the engine's (CHECK).
void AppendEncoded(const arrow::Array& array, int64_t row, bool normalise, PodVector<uint8_t>* out);
// Reads one column at *cursor into `builder` and moves *cursor behind it. Errors:
// CHECKPOINT_CORRUPT (kCorrupt) where the bytes end early or mean nothing.
arrow::Status ReadEncoded(const uint8_t** cursor, const uint8_t* end, arrow::ArrayBuilder* builder);

// CHECKPOINT_CORRUPT of kind kCorrupt.
arrow::Status CorruptState(std::string message);

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}
inline uint8_t* WriteVarint(uint8_t* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<uint8_t>(value | 0x80);
  *out++ = static_cast<uint8_t>(value);
  return out;
}
// False where the bytes end early or the number has more than 64 bits.
inline bool ReadVarint(const uint8_t** cursor, const uint8_t* end, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && *cursor < end; shift += 7) {
    const uint8_t byte = *(*cursor)++;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

inline constexpr uint32_t kCanonicalNaN32 = 0x7fc00000u;
inline constexpr uint64_t kCanonicalNaN64 = 0x7ff8000000000000ull;
// The bits of a float as keys have them.
inline uint32_t NormalisedBits(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude == 0) return 0;
  return magnitude > 0x7f800000u ? kCanonicalNaN32 : bits;
}
inline uint64_t NormalisedBits(uint64_t bits) {
  const uint64_t magnitude = bits & 0x7fffffffffffffffull;
  if (magnitude == 0) return 0;
  return magnitude > 0x7ff0000000000000ull ? kCanonicalNaN64 : bits;
}

}  // namespace tidemill::state
