#include "common/base/failpoint.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "common/base/check.h"

namespace tidemill {

namespace {

constexpr std::string_view kSleep = "sleep=";

struct Armed {
  std::string name;
  std::atomic<int> hits_left{1};
  std::chrono::milliseconds sleep{0};  // in place of the kill

  Armed() {
    const char* setting = std::getenv("TIDEMILL_FAILPOINT");
    if (setting == nullptr) return;
    name = setting;
    const size_t colon = name.find(':');
    if (colon == std::string::npos) return;
    const std::string what = name.substr(colon + 1);
    name.resize(colon);
    if (what.starts_with(kSleep)) {
      sleep = std::chrono::milliseconds(std::atoi(what.c_str() + kSleep.size()));
    } else {
      hits_left = std::atoi(what.c_str());
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
      "worker.warmed_up",              // key groups of others restored ahead, nothing said
      "worker.flush_captured",         // rows of a snapshot captured, nothing written
      "worker.snapshot_files_copied",  // snapshot files in place, driver not told
      "sink.chunk_written",            // part of a staged file written
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
  // A fault, as the kill is: it is there to take real time on the thread that passes.
  if (armed.sleep.count() > 0) return std::this_thread::sleep_for(armed.sleep);
  if (armed.hits_left.fetch_sub(1, std::memory_order_relaxed) == 1) std::raise(SIGKILL);
}

}  // namespace tidemill
