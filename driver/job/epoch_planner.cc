#include "driver/job/epoch_planner.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr int kLanesPerSlot = 4;

WatermarkTracker RestoreTracker(const JobDefinition& definition, const proto::Watermarks& logged) {
  WatermarkTracker tracker(definition.watermarks, definition.settings.watermark_policy == "max"
                                                      ? WatermarkPolicy::kMax
                                                      : WatermarkPolicy::kMin);
  std::vector<std::optional<int64_t>> by_watermark;
  for (const proto::Watermarks::OfNode& node : logged.nodes()) {
    by_watermark.push_back(node.has_watermark_ms() ? std::optional(node.watermark_ms())
                                                   : std::nullopt);
  }
  tracker.Restore(by_watermark, logged.global_ms());
  return tracker;
}

}  // namespace

EpochPlanner::EpochPlanner(Clock* clock, Random* random, const JobDefinition& definition,
                           const OpenedJob& job)
    : clock_(clock),
      random_(random),
      fingerprint_(job.plan_fingerprint),
      graph_(definition.watermarks),
      tracker_(RestoreTracker(definition, job.state.watermarks())),
      used_ms_(job.state.used_watermark_ms()),
      epoch_time_us_(job.state.epoch_time_us()) {}

void EpochPlanner::WriteWatermarks(proto::EpochPlan* plan) {
  const int64_t late_ms = used_ms_;
  used_ms_ = tracker_.global_ms();
  plan->set_watermark_ms(used_ms_);
  for (const OperatorWatermark& watermark : OperatorWatermarks(graph_, late_ms, used_ms_)) {
    proto::OperatorWatermark* entry = plan->add_operators();
    entry->set_operator_id(watermark.operator_id);
    entry->set_late_ms(watermark.late_ms);
    entry->set_eviction_ms(watermark.eviction_ms);
    if (watermark.left_state_ms) entry->set_left_state_ms(*watermark.left_state_ms);
    if (watermark.right_state_ms) entry->set_right_state_ms(*watermark.right_state_ms);
  }
}

proto::Watermarks EpochPlanner::Finish(const EpochInFlight& epoch) {
  for (const auto& [worker, prepared] : epoch.prepared) {
    for (const proto::EventTimeStats& stats : prepared.event_times()) {
      if (stats.count() > 0) tracker_.Observe(stats.watermark(), stats.max_ms());
    }
  }
  tracker_.Advance();
  proto::Watermarks watermarks;
  watermarks.set_global_ms(tracker_.global_ms());
  for (const std::optional<int64_t>& watermark : tracker_.by_watermark()) {
    proto::Watermarks::OfNode* node = watermarks.add_nodes();
    if (watermark) node->set_watermark_ms(*watermark);
  }
  watermarks.set_wants_epoch(WantsEpoch(graph_, epoch.plan.watermark_ms(), tracker_.global_ms()));
  return watermarks;
}

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
  WriteWatermarks(&plan);
  next->plan_hash = PlanHash(plan);
  next->times = {.trigger = input.trigger, .poll_begin = input.begin, .poll_end = input.end};
  return next;
}

std::unique_ptr<EpochInFlight> EpochPlanner::Recover(const OpenedJob& job) {
  auto epoch = std::make_unique<EpochInFlight>();
  epoch->plan = job.open_plan;
  used_ms_ = epoch->plan.watermark_ms();
  epoch->plan_hash = job.state.open_plan_hash();
  for (const proto::SourceInput& input : job.state.open_plan()->sources()) {
    epoch->inputs.push_back(ReadInput(input));
  }
  epoch->times.trigger = clock_->Now();
  return epoch;
}

}  // namespace tidemill::driver
