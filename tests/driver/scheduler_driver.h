#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "driver/epoch/scheduler.h"

namespace tidemill::driver {

// Feeds events to a scheduler on a clock of its own and shows the actions as short texts:
// "Run 3.1 after 2.1" is SendRun(epoch 3, attempt 1, committed epoch 2, attempt 1).
class SchedulerDriver {
 public:
  explicit SchedulerDriver(Trigger trigger = {});

  // An error of the given kind, as peers send it.
  static arrow::Status ErrorOf(ErrorKind kind);

  std::vector<std::string> Feed(const SchedulerEvent& event);
  void PassTime(std::chrono::microseconds time) { now_ += time; }
  Timestamp now() const { return now_; }
  const EpochScheduler& scheduler() const { return scheduler_; }

  // Recovers a job without open epoch and makes workers "a" and "b" ready.
  std::vector<std::string> StartFresh(int64_t last_committed = -1);
  // As far as the attempt of this epoch being out, with its plan durable.
  void StartRunning(int64_t epoch);
  // From idle with an outstanding poll to the attempt of the next epoch being out.
  void RunNext();
  // The workers of this Assign, counted from 1, have restored what it gave them.
  std::vector<std::string> Assigned(uint64_t count);
  // The Assign failed with such an error.
  std::vector<std::string> NotAssigned(uint64_t count, ErrorKind kind);
  // Both workers have prepared this attempt.
  std::vector<std::string> PrepareAll(int64_t epoch, uint64_t attempt);

 private:
  EpochScheduler scheduler_;
  Timestamp now_{std::chrono::microseconds(1'000'000'250)};
  uint64_t term_ = 0;
  std::map<uint64_t, std::set<std::string>> assigned_;  // by version
};

}  // namespace tidemill::driver
