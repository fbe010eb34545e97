#pragma once

#include <string_view>

namespace tidemill::driver {

// Whether a name matches a pattern of SHOW: * for any text, | between alternatives, in any case.
bool MatchesPattern(std::string_view name, std::string_view pattern);

}  // namespace tidemill::driver
