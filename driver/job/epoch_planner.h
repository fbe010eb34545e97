#pragma once

#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "driver/job/epoch_in_flight.h"
#include "driver/job/job_sources.h"
#include "driver/job/job_start.h"

namespace tidemill::driver {

// Makes the plans of a job's epochs out of what its sources gave. *Thread-compatible.*
class EpochPlanner {
 public:
  // `clock` and `random` must outlive this; `newest_us` is the epoch time of the newest plan.
  EpochPlanner(Clock* clock, Random* random, uint64_t plan_fingerprint, int64_t newest_us)
      : clock_(clock), random_(random), fingerprint_(plan_fingerprint), epoch_time_us_(newest_us) {}

  // The plan of an epoch with this input, for about so many slots; its epoch time is never before
  // that of the plan before it.
  std::unique_ptr<EpochInFlight> Plan(int64_t epoch, PolledInput input, int slots);
  // The epoch that the log left open, as it was planned.
  std::unique_ptr<EpochInFlight> Recover(const OpenedJob& job) const;

 private:
  Clock* const clock_;
  Random* const random_;
  const uint64_t fingerprint_;
  int64_t epoch_time_us_;
};

}  // namespace tidemill::driver
