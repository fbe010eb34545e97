#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>

#include "common/fs/file_system.h"

namespace tidemill::rpc {

// The address in the newest term file of a cluster's root, <root>/term/<n> ("<listen address>
// <holder>"); nothing where there is no term yet. Blocks.
arrow::Result<std::optional<std::string>> NewestDriver(FileSystem* fs, const std::string& root);

}  // namespace tidemill::rpc
