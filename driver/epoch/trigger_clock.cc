#include "driver/epoch/trigger_clock.h"

namespace tidemill::driver {

void TriggerClock::Started(Timestamp now) {
  if (!is_aligned()) {
    due_ = Timestamp::min();
    return;
  }
  const int64_t interval = trigger_.interval.count();
  const int64_t since_1970 = now.time_since_epoch().count();
  due_ = Timestamp(std::chrono::microseconds(since_1970 / interval * interval + interval));
}

void TriggerClock::FoundNothing(Timestamp now) {
  if (!is_aligned()) due_ = now + polling_delay_;
}

std::optional<std::chrono::microseconds> TriggerClock::FallenBehind(Timestamp began,
                                                                    Timestamp now) const {
  if (!is_aligned() || now - began <= trigger_.interval) return std::nullopt;
  return now - began;
}

}  // namespace tidemill::driver
