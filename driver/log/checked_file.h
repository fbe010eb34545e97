#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "common/fs/file_system.h"

namespace tidemill::driver {

// A small file that is written whole: Hash64 of the contents (u64, little-endian), contents.

// Makes a file that must not exist.
arrow::Status PublishChecked(FileSystem* fs, const std::string& path, std::string_view contents,
                             bool is_durable);

// Makes a file or puts it in place of the one that is there; readers see the old or the new
// contents. Durable when it returns.
arrow::Status ReplaceChecked(FileSystem* fs, const std::string& path, std::string_view contents);

// Errors: kNotFound; CHECKPOINT_CORRUPT (kCorrupt) where the contents do not have their hash.
arrow::Result<std::string> ReadChecked(FileSystem* fs, const std::string& path);

}  // namespace tidemill::driver
