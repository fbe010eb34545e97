#include "worker/slot/stage_inputs.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

StageInputs::StageInputs(const std::vector<StageInputPlan>* inputs, Place place, AttemptId attempt,
                         const Assignment* assignment, ExchangeNetwork* network)
    : plan_(inputs),
      place_(std::move(place)),
      attempt_(std::move(attempt)),
      assignment_(assignment),
      network_(network),
      inputs_(inputs->size()) {
  for (const bool is_build : {true, false}) {
    std::vector<int> members;
    int lanes = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if ((*plan_)[i].is_build != is_build) continue;
      inputs_[i].merged = merged_.size();
      inputs_[i].first_lane = lanes;
      lanes += place_.lanes[i];
      members.push_back(static_cast<int>(i));
    }
    if (!members.empty()) merged_.push_back({LaneMerger(lanes), std::move(members)});
  }
}

arrow::Status StageInputs::CheckRows(int input, const Rows& rows) {
  if (rows.batch == nullptr) return arrow::Status::OK();
  const auto refuse = [this](const char* what) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("rows do not belong here: {}: stage={} slot={}", what,
                                 place_.stage, place_.slot));
  };
  std::shared_ptr<arrow::Schema>& accepted_schema = inputs_[input].accepted_schema;
  if (rows.batch->schema() != accepted_schema) {
    const auto& want = (*plan_)[input].schema->fields();
    const auto& got = rows.batch->schema()->fields();
    const bool fits =
        std::equal(want.begin(), want.end(), got.begin(), got.end(),
                   [](const auto& a, const auto& b) { return a->type()->Equals(*b->type()); });
    if (!fits) return refuse("schema");
    accepted_schema = rows.batch->schema();
  }
  if (place_.key_groups.empty()) return arrow::Status::OK();
  if (rows.runs.empty() && rows.batch->num_rows() > 0) return refuse("no key groups");
  for (const GroupRun& run : rows.runs) {
    if (!std::binary_search(place_.key_groups.begin(), place_.key_groups.end(), run.key_group))
      return refuse("key group");
  }
  return arrow::Status::OK();
}

arrow::Status StageInputs::Add(ExchangeFrame frame) {
  size_t input = 0;
  while (input < inputs_.size() && (*plan_)[input].stage != frame.stage) ++input;
  if (input == inputs_.size()) return arrow::Status::OK();  // For another stage.
  ARROW_RETURN_NOT_OK(CheckRows(static_cast<int>(input), frame.rows));
  if (frame.lane < 0 || frame.lane >= place_.lanes[input]) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("no such lane: stage={} lane={}", frame.stage, frame.lane));
  }
  frame.lane += inputs_[input].first_lane;
  frame.rows.side = (*plan_)[input].side;
  return merged_[inputs_[input].merged].lanes.Add(std::move(frame));
}

std::optional<Rows> StageInputs::Next() {
  for (; !is_finished(); ++current_) {
    Merged& merged = merged_[current_];
    std::optional<Rows> rows = merged.lanes.Next();
    TellProducers(&merged);
    if (rows || !merged.lanes.is_finished()) return rows;
  }
  return std::nullopt;
}

void StageInputs::TellProducers(Merged* merged) {
  if (merged->lanes.chunk() == merged->told_chunk || merged->lanes.is_finished()) return;
  merged->told_chunk = merged->lanes.chunk();
  for (const int input : merged->inputs) {
    const ExchangeProgress progress{(*plan_)[input].stage, place_.slot, merged->told_chunk};
    for (const SlotAddress& address : assignment_->slots) {
      network_->SendProgress(address, attempt_, progress);
    }
  }
}

}  // namespace tidemill::worker
