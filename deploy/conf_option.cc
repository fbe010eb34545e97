#include "deploy/conf_option.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace tidemill::deploy {

arrow::Result<std::map<std::string, std::string>> ParseConf(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> conf;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return MakeError(ErrorKind::kUsage, "INVALID_CONF",
                       fmt::format("--conf wants key=value: got '{}'", text));
    }
    conf[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return conf;
}

}  // namespace tidemill::deploy
