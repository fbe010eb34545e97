#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <vector>

namespace tidemill::deploy {

// "k=v" texts of --conf to a map. Errors: kUsage, class INVALID_CONF.
arrow::Result<std::map<std::string, std::string>> ParseConf(const std::vector<std::string>& texts);

}  // namespace tidemill::deploy
