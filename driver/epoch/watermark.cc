#include "driver/epoch/watermark.h"

#include <algorithm>

namespace tidemill::driver {

namespace {

using Node = WatermarkGraph::Node;

// Spark computes in doubles and truncates towards zero; all values here are exact in both.
int64_t BoundOf(const JoinBound& bound, int64_t watermark_ms) {
  const int64_t state_ms = (watermark_ms * 1000 + bound.offset_us) / 1000;
  return bound.is_inclusive ? state_ms - 1 : state_ms;
}

std::optional<int64_t> StateWatermark(const JoinSideRule& rule, int64_t watermark_ms) {
  switch (rule.kind) {
    case JoinSideRule::Kind::kForever:
      break;
    case JoinSideRule::Kind::kKey:
      return watermark_ms;
    case JoinSideRule::Kind::kValue: {
      std::optional<int64_t> least;
      for (const JoinBound& bound : rule.bounds) {
        const int64_t value = BoundOf(bound, watermark_ms);
        least = least ? std::min(*least, value) : value;
      }
      return least;
    }
  }
  return std::nullopt;
}

int64_t OutputOfJoin(const Node& node, int64_t input_ms) {
  int64_t output_ms = input_ms;
  for (const JoinSideRule* rule : {&node.left, &node.right}) {
    if (const auto state_ms = StateWatermark(*rule, input_ms)) {
      output_ms = std::min(output_ms, *state_ms);
    }
  }
  return output_ms;
}

const Node* FindOperator(const WatermarkGraph& graph, int operator_id) {
  for (const Node& node : graph.nodes) {
    if (node.operator_id == operator_id) return &node;
  }
  return nullptr;
}

}  // namespace

int WatermarkGraph::num_watermarks() const {
  int count = 0;
  for (const Node& node : nodes) count = std::max(count, node.watermark + 1);
  return count;
}

std::map<int, int64_t> InputWatermarks(const WatermarkGraph& graph, int64_t global_ms) {
  std::map<int, int64_t> inputs;
  std::vector<std::optional<int64_t>> outputs;
  for (const Node& node : graph.nodes) {
    std::optional<int64_t> input;
    for (const int from : node.inputs) {
      if (!outputs[from]) continue;
      input = input ? std::min(*input, *outputs[from]) : outputs[from];
    }
    if (node.kind == Node::Kind::kWatermark) {
      outputs.emplace_back(global_ms);
      continue;
    }
    const bool is_stateful = node.operator_id >= 0;
    // Spark does not simulate before there is a watermark: 0 everywhere.
    if (is_stateful && input) inputs[node.operator_id] = global_ms == 0 ? 0 : *input;
    if (node.kind == Node::Kind::kJoin && input) input = OutputOfJoin(node, *input);
    outputs.push_back(input);
  }
  return inputs;
}

std::vector<OperatorWatermark> OperatorWatermarks(const WatermarkGraph& graph, int64_t late_ms,
                                                  int64_t eviction_ms) {
  const std::map<int, int64_t> late = InputWatermarks(graph, late_ms);
  std::vector<OperatorWatermark> operators;
  for (const auto& [operator_id, evicted_ms] : InputWatermarks(graph, eviction_ms)) {
    OperatorWatermark of_operator{operator_id, late.at(operator_id), evicted_ms, {}, {}};
    const Node* node = FindOperator(graph, operator_id);
    if (node->kind == Node::Kind::kJoin) {
      of_operator.left_state_ms = StateWatermark(node->left, evicted_ms);
      of_operator.right_state_ms = StateWatermark(node->right, evicted_ms);
    }
    operators.push_back(of_operator);
  }
  return operators;
}

bool WantsEpoch(const WatermarkGraph& graph, int64_t used_ms, int64_t next_ms) {
  const std::map<int, int64_t> used = InputWatermarks(graph, used_ms);
  for (const auto& [operator_id, watermark_ms] : InputWatermarks(graph, next_ms)) {
    if (watermark_ms > used.at(operator_id) && FindOperator(graph, operator_id)->evicts)
      return true;
  }
  return false;
}

WatermarkTracker::WatermarkTracker(const WatermarkGraph& graph, WatermarkPolicy policy)
    : by_watermark_(graph.num_watermarks()), policy_(policy) {
  delays_ms_.resize(by_watermark_.size());
  for (const Node& node : graph.nodes) {
    if (node.kind == Node::Kind::kWatermark) delays_ms_[node.watermark] = node.delay_ms;
  }
}

void WatermarkTracker::Observe(int watermark, int64_t max_event_ms) {
  if (watermark < 0 || watermark >= static_cast<int>(by_watermark_.size())) return;
  std::optional<int64_t>& newest = by_watermark_[watermark];
  const int64_t watermark_ms = max_event_ms - delays_ms_[watermark];
  if (!newest || *newest < watermark_ms) newest = watermark_ms;
}

void WatermarkTracker::Advance() {
  std::optional<int64_t> chosen;
  for (const std::optional<int64_t>& watermark : by_watermark_) {
    const int64_t value = watermark.value_or(0);
    if (!chosen) {
      chosen = value;
    } else {
      chosen =
          policy_ == WatermarkPolicy::kMin ? std::min(*chosen, value) : std::max(*chosen, value);
    }
  }
  if (chosen) global_ms_ = std::max(global_ms_, *chosen);
}

void WatermarkTracker::Restore(const std::vector<std::optional<int64_t>>& by_watermark,
                               int64_t global_ms) {
  if (by_watermark.size() == by_watermark_.size()) by_watermark_ = by_watermark;
  global_ms_ = global_ms;
}

}  // namespace tidemill::driver
