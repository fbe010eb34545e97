#include "deploy/build_name.h"

namespace tidemill::deploy {

std::string BuildName() { return TIDEMILL_VERSION " " TIDEMILL_BUILD_TYPE; }

}  // namespace tidemill::deploy
