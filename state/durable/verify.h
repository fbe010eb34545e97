#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "state/durable/records.h"

namespace tidemill::state {

struct VerifyReport {
  int64_t snapshot_files = 0;  // distinct files read
  int64_t extents = 0;
  int64_t bytes = 0;
  std::vector<arrow::Status> problems;  // one per bad file or extent, each CHECKPOINT_CORRUPT
};

// Reads every file of the snapshots and every extent, and checks sizes, checksums and the structure
// of sections. Goes on after a problem; reads each file once. *Thread-safe.*
VerifyReport VerifyState(FileSystem* fs, const std::string& state_dir,
                         std::span<const Snapshot> snapshots, std::span<const Extent> extents);

}  // namespace tidemill::state
