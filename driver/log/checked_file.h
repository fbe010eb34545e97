#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "common/fs/file_system.h"

namespace tidemill::driver {

// A small file of the checkpoint that is written once: Hash64 of the contents (u64, little-endian),
// contents.

arrow::Status PublishChecked(FileSystem* fs, const std::string& path, std::string_view contents,
                             bool is_durable);

// Errors: kNotFound; CHECKPOINT_CORRUPT (kCorrupt) where the contents do not have their hash.
arrow::Result<std::string> ReadChecked(FileSystem* fs, const std::string& path);

}  // namespace tidemill::driver
