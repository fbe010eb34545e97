#pragma once

#include <arrow/result.h>

#include <string>

#include "common/fs/file_system.h"
#include "driver/cluster/cluster_root.h"

namespace tidemill::driver {

// What a driver does with a job of its own that was fenced: true where it may start the job again.
// That is where an older driver of the root took the checkpoint after this one had: it was opening
// the job when this one began, finds itself fenced by the root right after, and does nothing under
// its term (CheckpointDir). False where the checkpoint is a stranger's by now. FENCED (kFenced)
// where a newer driver of the root has it; other errors leave the question open. Blocks on I/O.
arrow::Result<bool> MayTakeBack(const ClusterRoot& root, FileSystem* fs,
                                const std::string& checkpoint);

}  // namespace tidemill::driver
