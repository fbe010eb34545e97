#pragma once

#include <arrow/result.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"

namespace tidemill::deploy {

// A process and when it started, so that another one that got its pid later is not taken for it.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // since boot, /proc/<pid>/stat
};

// What `<root>/cluster.json` says about a local cluster:
//   {"driver":{"pid":..,"listen":"127.0.0.1:4100","http":"127.0.0.1:4101","startTicks":..},
//    "workers":[{"id":"worker-0","pid":..,"slots":4,"startTicks":..}],"bootId":".."}
// *Plain data.*
struct ClusterFile {
  struct Driver {
    ProcessId process;
    std::string listen;
    std::string http;
  };
  struct Worker {
    std::string id;
    ProcessId process;
    int slots = 0;
  };
  Driver driver;
  std::vector<Worker> workers;
  std::string boot_id;  // of the machine's start that the ticks count from
};

std::string ClusterFilePath(const std::string& root);
std::string ClusterFileText(const ClusterFile& file);
// Errors: CLUSTER_FILE_CORRUPT (kGeneral) naming `path`.
arrow::Result<ClusterFile> ParseClusterFile(std::string_view text, const std::string& path);
// Nothing where there is no file.
arrow::Result<std::optional<ClusterFile>> ReadClusterFile(FileSystem* fs, const std::string& root);
// In one step: readers see the old or the new file.
arrow::Status WriteClusterFile(FileSystem* fs, const std::string& root, const ClusterFile& file);

}  // namespace tidemill::deploy
