#pragma once

#include <chrono>
#include <optional>

#include "common/base/clock.h"
#include "driver/spec/job_spec.h"

namespace tidemill::driver {

// Says when a source may be asked for the next epoch's input, as Spark's TriggerExecutor: default
// at once, and after `polling_delay` where there was no data; processingTime at multiples of the
// interval since 1970, the first at once, missed ones not made up for. Pure. *Thread-compatible.*
class TriggerClock {
 public:
  TriggerClock(Trigger trigger, std::chrono::microseconds polling_delay)
      : trigger_(trigger), polling_delay_(polling_delay) {}

  // The earliest time of the next poll.
  Timestamp due() const { return due_; }
  // A poll begins.
  void Started(Timestamp now);
  // The poll that began last found nothing; it begins no epoch.
  void FoundNothing(Timestamp now);
  // Something arrived: waiting for data ends (not for a processingTime boundary).
  void Wake() {
    if (!is_aligned()) due_ = Timestamp::min();
  }
  // How long an epoch whose poll began at `began` took, where that is longer than the interval.
  std::optional<std::chrono::microseconds> FallenBehind(Timestamp began, Timestamp now) const;

 private:
  bool is_aligned() const {
    return trigger_.kind == TriggerKind::kProcessingTime && trigger_.interval.count() > 0;
  }

  const Trigger trigger_;
  const std::chrono::microseconds polling_delay_;
  Timestamp due_ = Timestamp::min();
};

}  // namespace tidemill::driver
