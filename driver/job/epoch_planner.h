#pragma once

#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "driver/epoch/watermark.h"
#include "driver/job/epoch_in_flight.h"
#include "driver/job/job_sources.h"
#include "driver/job/job_start.h"

namespace tidemill::driver {

// Makes the plans of a job's epochs out of what its sources gave and of the watermarks that the
// epochs before them left. *Thread-compatible.*
class EpochPlanner {
 public:
  // `clock` and `random` must outlive this.
  EpochPlanner(Clock* clock, Random* random, const JobDefinition& definition, const OpenedJob& job);

  // The plan of an epoch with this input, for about so many slots; its epoch time is never before
  // that of the plan before it.
  std::unique_ptr<EpochInFlight> Plan(int64_t epoch, PolledInput input, int slots);
  // The epoch that the log left open, as it was planned.
  std::unique_ptr<EpochInFlight> Recover(const OpenedJob& job);
  // The watermarks after an epoch that every worker has prepared; the plans made from now on go by
  // them. Once per epoch, before the plan of the next one is made.
  proto::Watermarks Finish(const EpochInFlight& epoch);

 private:
  void WriteWatermarks(proto::EpochPlan* plan);

  Clock* const clock_;
  Random* const random_;
  const uint64_t fingerprint_;
  const WatermarkGraph graph_;
  WatermarkTracker tracker_;
  int64_t used_ms_ = 0;  // global watermark of the newest plan
  int64_t epoch_time_us_;
};

}  // namespace tidemill::driver
