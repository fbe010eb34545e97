#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tidemill::driver {

// What a checkpoint is tied to for its whole life; a restart with other values is refused
// (CHECKPOINT_INCOMPATIBLE). *Plain data.*
struct FrozenSettings {
  uint32_t key_groups = 128;
  uint32_t sink_shards = 8;
  std::string time_zone = "UTC";
  bool ansi = true;
  std::string watermark_policy = "min";
  std::map<std::string, std::string> schemas;  // inferred ones (DDL), by source name

  bool operator==(const FrozenSettings&) const = default;
};

}  // namespace tidemill::driver
