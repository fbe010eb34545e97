#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

// What the log keeps about state in the checkpoint directory. All names are relative to
// <checkpoint>/state. Mirrors the messages of the log record for record. *Plain data.*
namespace tidemill::state {

// Bytes of a changelog segment: the changes of one epoch on one worker.
struct Extent {
  std::string file;
  int64_t offset = 0;
  int64_t length = 0;
  uint64_t checksum = 0;  // Hash64 of the bytes
  int64_t epoch = 0;
  std::vector<uint32_t> key_groups;  // that have a section in it, ascending
};

struct SnapshotFile {
  std::string name;        // unique
  std::string local_name;  // what RocksDB calls it
  int64_t size = 0;
  uint64_t checksum = 0;  // Hash64
};

// All rows of some key groups at the end of `epoch`.
struct Snapshot {
  std::string id;
  int64_t epoch = 0;
  std::vector<uint32_t> key_groups;  // ascending
  std::vector<SnapshotFile> files;
};

// Whether an ascending list of key groups has one.
inline bool HoldsKeyGroup(const std::vector<uint32_t>& key_groups, uint32_t key_group) {
  return std::binary_search(key_groups.begin(), key_groups.end(), key_group);
}

}  // namespace tidemill::state
