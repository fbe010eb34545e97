#include "driver/plan/stages/state_ttl.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/error.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/stages/join_steps.h"

namespace tidemill::driver {

namespace {

using Kind = StageOperator::Kind;

arrow::Status Unsupported(std::string_view what) {
  return WithHint(MakeError(ErrorKind::kInvalid, "STATE_TTL_UNSUPPORTED",
                            fmt::format("state.ttl does not reach the state of {}", what)),
                  "give its sources watermarks, so that its rows go by event time, or leave "
                  "state.ttl out");
}

// A key that is an event time goes by the watermark.
bool HasEventKey(const AggregateNode& node) {
  return std::any_of(node.event_times.begin(), node.event_times.end(),
                     [](const auto& time) { return time.has_value(); });
}
bool HasEventKey(const DeduplicateNode& node) {
  if (node.within_watermark) return true;
  return std::any_of(node.columns.begin(), node.columns.end(), [&](int column) {
    return node.child().output[column].event_time.has_value();
  });
}

arrow::Status Limit(int64_t ttl_us, StageOperator* op) {
  if (op->is_ephemeral) return arrow::Status::OK();
  if (op->kind == Kind::kSessionAggregate && !HasEventKey(As<AggregateNode>(*op->node)))
    return Unsupported("sessions");
  if (op->kind == Kind::kJoin && op->join->is_symmetric) {
    for (const JoinSideSteps& side : op->join->sides) {
      if (side.rule.kind == JoinSideRule::Kind::kForever)
        return Unsupported("a join of two streams");
    }
  }
  // A global aggregate is one row.
  const bool is_aggregate = op->kind == Kind::kFinalAggregate &&
                            !As<AggregateNode>(*op->node).keys.empty() &&
                            !HasEventKey(As<AggregateNode>(*op->node));
  const bool is_deduplicate =
      op->kind == Kind::kDeduplicate && !HasEventKey(As<DeduplicateNode>(*op->node));
  if (is_aggregate || is_deduplicate) op->ttl_us = ttl_us;
  return arrow::Status::OK();
}

}  // namespace

arrow::Status LimitState(int64_t ttl_us, StagedPlan* plan) {
  for (StageSpec& stage : plan->stages) {
    for (StageOperator& op : stage.operators) ARROW_RETURN_NOT_OK(Limit(ttl_us, &op));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::driver
