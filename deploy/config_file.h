#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::deploy {

// Reads a daemon's --config: a YAML map whose keys are the daemon's flags without dashes in front
// (`known`). Values are single words or texts. Errors (kInvalid) show the place in the file and,
// for an unknown key, the nearest known one; kNotFound where there is no such file.
arrow::Result<std::map<std::string, std::string>> ReadConfigFile(
    const std::string& path, const std::vector<std::string_view>& known);

}  // namespace tidemill::deploy
