#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// How rows lie in RocksDB; part of the checkpoint format. Included by the two files that see
// RocksDB. Column family "op<id>" of each operator:
//   key = key group (2 bytes, big-endian), 1 for the NULL key else 0, key bytes
//   value = row codec version (1 byte), encoded values
// Column family "__epoch", all numbers 8 bytes little-endian:
//   "epoch" = the epoch at whose end the rows were captured
//   "changed" operator id, key group (4 bytes big-endian each) = last_changed_epoch of the table
namespace tidemill::state {

inline constexpr char kEpochFamily[] = "__epoch";
inline constexpr char kEpochKey[] = "epoch";
inline constexpr char kFamilyPrefix[] = "op";
inline constexpr size_t kRowKeyPrefix = 3;

inline std::string FamilyOf(int32_t operator_id) {
  return kFamilyPrefix + std::to_string(operator_id);
}

inline void AppendBigEndian(uint32_t value, int bytes, std::string* out) {
  for (int i = bytes - 1; i >= 0; --i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// The first bytes of all keys of a group; of group + 1: the end of the range.
inline std::string GroupPrefix(uint32_t key_group) {
  std::string prefix;
  if (key_group > 0xffff) return "\xff\xff\xff";  // beyond the last group
  AppendBigEndian(key_group, 2, &prefix);
  return prefix;
}

inline std::string RowKey(uint32_t key_group, bool is_null, std::string_view key) {
  std::string result = GroupPrefix(key_group);
  result.push_back(is_null ? 1 : 0);
  if (!is_null) result.append(key);
  return result;
}

inline std::string ChangedKey(int32_t operator_id, uint32_t key_group) {
  std::string key = "changed";
  AppendBigEndian(static_cast<uint32_t>(operator_id), 4, &key);
  AppendBigEndian(key_group, 4, &key);
  return key;
}

inline std::string EncodeEpoch(int64_t epoch) {
  return {reinterpret_cast<const char*>(&epoch), sizeof(epoch)};
}

}  // namespace tidemill::state
