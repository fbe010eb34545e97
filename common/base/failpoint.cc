#include "common/base/failpoint.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

#include "common/base/check.h"

namespace tidemill {

namespace {

struct Armed {
  std::string name;
  std::atomic<int> hits_left{1};

  Armed() {
    const char* setting = std::getenv("TIDEMILL_FAILPOINT");
    if (setting == nullptr) return;
    name = setting;
    if (const size_t colon = name.find(':'); colon != std::string::npos) {
      hits_left = std::atoi(name.c_str() + colon + 1);
      name.resize(colon);
    }
  }
};

}  // namespace

const std::vector<std::string_view>& FailpointNames() {
  static const std::vector<std::string_view> names = {
      "driver.before_plan_append",     // nothing of the epoch is durable
      "driver.plan_durable",           // Plan(e) durable, epoch may be running
      "driver.all_prepared",           // before any sink commits
      "driver.sink_committed",         // after the sinks, before Commit(e)
      "driver.commit_durable",         // Commit(e) durable, nobody told
      "driver.base_written",           // a new log file exists, the old ones not yet deleted
      "driver.drop_logged",            // garbage is logged, not yet deleted
      "worker.epoch_started",          // in the middle of an epoch
      "worker.changelog_written",      // appended, not fsynced
      "worker.prepared",               // changelog durable, driver not told
      "worker.flush_captured",         // rows of a snapshot captured, nothing written
      "worker.snapshot_files_copied",  // snapshot files in place, driver not told
      "sink.staged",                   // staged files written, not fsynced
      "sink.manifest_written",         // manifest published, no file renamed
      "sink.half_renamed",             // some files renamed
      "sink.renamed",                  // all renamed
  };
  return names;
}

void Failpoint(std::string_view name) {
  static Armed armed;
  if (__builtin_expect(armed.name.empty(), 1)) return;
  const auto& names = FailpointNames();
  TIDEMILL_CHECK(std::find(names.begin(), names.end(), name) != names.end());
  if (name != armed.name) return;
  if (armed.hits_left.fetch_sub(1, std::memory_order_relaxed) == 1) std::raise(SIGKILL);
}

}  // namespace tidemill
