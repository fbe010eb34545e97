#pragma once

#include <string>

namespace tidemill::deploy {

// What driver and workers of a cluster must agree on: "0.1.0 RelWithDebInfo".
std::string BuildName();

}  // namespace tidemill::deploy
