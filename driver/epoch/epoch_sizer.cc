#include "driver/epoch/epoch_sizer.h"

#include <algorithm>
#include <limits>

namespace tidemill::driver {

namespace {

// How much the budget may change from one epoch to the next: one that was slow by chance is not
// followed all the way.
constexpr double kStep = 2;

}  // namespace

int64_t EpochSizer::budget() const {
  return target_.count() == 0 ? std::numeric_limits<int64_t>::max() : budget_;
}

void EpochSizer::OnCommitted(int64_t bytes, std::chrono::microseconds whole,
                             std::chrono::microseconds compute) {
  // A small epoch says little about large ones.
  const bool was_full = bytes >= budget_ / 2;
  if (bytes <= 0 || (!was_full && whole <= target_)) return;
  const auto computing = static_cast<double>(std::max<int64_t>(compute.count(), 1));
  const double rest = static_cast<double>(whole.count()) - computing;
  const double wanted = std::max(static_cast<double>(target_.count()) - rest, rest);
  const auto now = static_cast<double>(budget_);
  const double fitting = static_cast<double>(bytes) * wanted / computing;
  budget_ = std::clamp(static_cast<int64_t>(std::clamp(fitting, now / kStep, now * kStep)),
                       kLeastBytes, kMostBytes);
}

}  // namespace tidemill::driver
