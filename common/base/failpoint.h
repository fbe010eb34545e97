#pragma once

#include <string_view>
#include <vector>

namespace tidemill {

// A named point at which a test kills the process with SIGKILL, to prove recovery. Set by the
// environment variable TIDEMILL_FAILPOINT=<name>[:<hits>], e.g. "driver.plan_durable:3" dies at the
// third passage. Costs one relaxed load when not set. *Thread-safe.*
void Failpoint(std::string_view name);

// Every name that exists, for tests that walk through all of them. A name passed to Failpoint and
// missing here is a bug (CHECK).
const std::vector<std::string_view>& FailpointNames();

}  // namespace tidemill
