#include "driver/job/epoch_planner.h"

#include <algorithm>
#include <utility>

#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr int kLanesPerSlot = 4;

}  // namespace

std::unique_ptr<EpochInFlight> EpochPlanner::Plan(int64_t epoch, PolledInput input, int slots) {
  auto next = std::make_unique<EpochInFlight>();
  next->inputs = std::move(input.inputs);
  proto::EpochPlan& plan = next->plan;
  plan.set_epoch(epoch);
  plan.set_plan_fingerprint(fingerprint_);
  int most_splits = 1;
  for (const connectors::EpochInput& of_source : next->inputs) {
    WriteInput(of_source, plan.add_sources());
    most_splits = std::max(most_splits, static_cast<int>(of_source.splits.size()));
  }
  plan.set_lanes(std::min(most_splits, kLanesPerSlot * std::max(slots, 1)));
  epoch_time_us_ = std::max<int64_t>(epoch_time_us_, clock_->Now().time_since_epoch().count());
  plan.set_epoch_time_us(epoch_time_us_);
  plan.set_seed(random_->Next());
  next->plan_hash = PlanHash(plan);
  next->times = {.trigger = input.trigger, .poll_begin = input.begin, .poll_end = input.end};
  return next;
}

std::unique_ptr<EpochInFlight> EpochPlanner::Recover(const OpenedJob& job) const {
  auto epoch = std::make_unique<EpochInFlight>();
  epoch->plan = job.open_plan;
  epoch->plan_hash = job.state.open_plan_hash();
  for (const proto::SourceInput& input : job.state.open_plan()->sources()) {
    epoch->inputs.push_back(ReadInput(input));
  }
  epoch->times.trigger = clock_->Now();
  return epoch;
}

}  // namespace tidemill::driver
