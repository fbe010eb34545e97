#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// Prints a checkpoint for people: its job, the records of the log from the newest Base on, and the
// files of the state with who needs them. One call of `print` per line, without line break.
// Read only; works while a job runs on it.
arrow::Status ShowCheckpoint(FileSystem* fs, const std::string& checkpoint,
                             const std::function<void(std::string_view)>& print);

struct VerifiedLog {
  int64_t records = 0;
  int64_t last_committed = -1;
  int64_t torn_bytes = 0;  // at the end of the newest file: a crash, not damage
  // The state, whose files remain to be checked.
  std::vector<proto::Snapshot> snapshots;
  std::vector<proto::Extent> extents;
};

// Checks the job file, the stored plans, every record of the log and the chain between them.
// Errors: CHECKPOINT_CORRUPT.
arrow::Result<VerifiedLog> VerifyLog(FileSystem* fs, const std::string& checkpoint);

// Gives up the damaged part of a log and all records after it: the files are cut, what is cut off
// is kept beside them as `<file>.damaged`. Epochs that are lost this way run again, so sinks that
// hold them already will refuse (SINK_AHEAD_OF_LOG). Returns what was done, a line per file; empty
// where nothing is damaged. Takes the checkpoint's lock. Errors: CHECKPOINT_IN_USE (kConflict).
arrow::Result<std::vector<std::string>> RepairLog(FileSystem* fs, const std::string& checkpoint);

}  // namespace tidemill::driver
