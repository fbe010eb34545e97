#pragma once

#include <string_view>
#include <vector>

namespace tidemill {

// A named point at which a test kills the process with SIGKILL, to prove recovery, or makes it
// slow, to prove back-pressure. Set by the environment variable TIDEMILL_FAILPOINT=<name>[:<hits>],
// e.g. "driver.plan_durable:3" dies at the third passage, or <name>:sleep=<ms>, e.g.
// "sink.chunk_written:sleep=100": every passage takes so long. Costs one relaxed load when not set.
// *Thread-safe.*
void Failpoint(std::string_view name);

// Every name that exists, for tests that walk through all of them. A name passed to Failpoint and
// missing here is a bug (CHECK).
const std::vector<std::string_view>& FailpointNames();

}  // namespace tidemill
