#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>

#include "common/fs/file_system.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// Opens the file of a split. Blocks. Errors: SOURCE_FILE_CHANGED (kJobFailed) where it is gone or
// has another size or mtime than the split says.
arrow::Result<std::shared_ptr<ReadableFile>> OpenSplitFile(const Split& split, FileSystem* fs);
// That error, for a file that turns out to be another one later.
arrow::Status SplitFileChanged(const Split& split, int64_t size, int64_t mtime_us);

}  // namespace tidemill::connectors
