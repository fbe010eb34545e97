#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/fs/file_system.h"

namespace tidemill::worker {

// A file that the driver has written to prove that a worker sees its directories. *Plain data.*
struct SharedFile {
  std::string purpose;    // "checkpoint"
  std::string path;       // absolute
  uint64_t checksum = 0;  // Hash64 of the contents
};

// Reads a file and compares; blocks. Errors: NOT_SHARED (kInvalid) naming the worker and the path;
// SHARED_FILE_UNREADABLE (kUnavailable) where the file is there, or nobody can tell.
arrow::Status CheckSharedFile(FileSystem* fs, const std::string& worker, const SharedFile& file);

// The same for all of them, on `io`; `done` is posted to `executor`, or called at once where there
// are none.
struct SharedFilesCheck {
  FileSystem* fs = nullptr;
  Executor* io = nullptr;
  Executor* executor = nullptr;
  std::string worker;
};
void CheckSharedFiles(const SharedFilesCheck& check, std::vector<SharedFile> files,
                      std::function<void(const arrow::Status&)> done);

}  // namespace tidemill::worker
