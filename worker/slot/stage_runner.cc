#include "worker/slot/stage_runner.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

StageRunner::StageRunner(const StagePlan* stage, Place place, AttemptId attempt,
                         const Assignment* assignment, const EvalContext& context,
                         Pipeline* pipeline, RowOutput* output, ExchangeNetwork* network)
    : stage_(stage),
      place_(std::move(place)),
      attempt_(std::move(attempt)),
      assignment_(assignment),
      context_(context),
      pipeline_(pipeline),
      output_(output),
      network_(network),
      consumer_(this),
      inputs_(stage->inputs.size()) {
  for (const bool is_build : {true, false}) {
    std::vector<int> members;
    int lanes = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (stage_->inputs[i].is_build != is_build) continue;
      inputs_[i].merged = merged_.size();
      inputs_[i].first_lane = lanes;
      lanes += place_.lanes[i];
      members.push_back(static_cast<int>(i));
    }
    if (!members.empty()) merged_.push_back({LaneMerger(lanes), std::move(members)});
  }
}

arrow::Status StageRunner::CheckRows(int input, const Rows& rows) {
  if (rows.batch == nullptr) return arrow::Status::OK();
  const auto refuse = [this](const char* what) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("rows do not belong here: {}: stage={} slot={}", what, stage_->id,
                                 place_.slot));
  };
  std::shared_ptr<arrow::Schema>& accepted_schema = inputs_[input].accepted_schema;
  if (rows.batch->schema() != accepted_schema) {
    const auto& want = stage_->inputs[input].schema->fields();
    const auto& got = rows.batch->schema()->fields();
    const bool fits =
        std::equal(want.begin(), want.end(), got.begin(), got.end(),
                   [](const auto& a, const auto& b) { return a->type()->Equals(*b->type()); });
    if (!fits) return refuse("schema");
    accepted_schema = rows.batch->schema();
  }
  if (place_.is_gathered) return arrow::Status::OK();
  if (rows.runs.empty() && rows.batch->num_rows() > 0) return refuse("no key groups");
  for (const GroupRun& run : rows.runs) {
    if (!std::binary_search(place_.key_groups.begin(), place_.key_groups.end(), run.key_group))
      return refuse("key group");
  }
  return arrow::Status::OK();
}

arrow::Status StageRunner::AddFrame(ExchangeFrame frame) {
  size_t input = 0;
  while (input < inputs_.size() && stage_->inputs[input].stage != frame.stage) ++input;
  if (input == inputs_.size()) return arrow::Status::OK();  // For another stage.
  ARROW_RETURN_NOT_OK(CheckRows(static_cast<int>(input), frame.rows));
  if (frame.lane < 0 || frame.lane >= place_.lanes[input]) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("no such lane: stage={} lane={}", frame.stage, frame.lane));
  }
  frame.lane += inputs_[input].first_lane;
  frame.rows.side = stage_->inputs[input].side;
  return merged_[inputs_[input].merged].lanes.Add(std::move(frame));
}

StageRunner::Merged* StageRunner::current() {
  for (Merged& merged : merged_) {
    if (!merged.lanes.is_finished()) return &merged;
  }
  return nullptr;
}

// Each key group is a lane of its own towards an exchange, so that its consumers see rows in an
// order that does not depend on which slot owns what.
arrow::Status StageRunner::Consumer::Consume(Rows rows) {
  const bool is_whole = runner_->place_.is_gathered || rows.runs.size() <= 1 ||
                        runner_->stage_->output == StageOutput::kSink;
  if (is_whole) return Send(std::move(rows));
  for (const GroupRun& run : rows.runs) {
    const int32_t length = run.end - run.begin;
    ARROW_RETURN_NOT_OK(
        Send({rows.batch->Slice(run.begin, length), {GroupRun{run.key_group, 0, length}}}));
  }
  return arrow::Status::OK();
}

arrow::Status StageRunner::Consumer::Send(Rows rows) {
  const int lane = runner_->place_.is_gathered || rows.runs.empty()
                       ? 0
                       : static_cast<int>(rows.runs[0].key_group);
  const int64_t chunk = runner_->lane_chunk_[lane]++;
  runner_->sent_rows_ += rows.batch->num_rows();
  ARROW_RETURN_NOT_OK(runner_->output_->Send(lane, chunk, std::move(rows)));
  runner_->output_->EndChunk(lane, chunk);
  return arrow::Status::OK();
}

arrow::Result<StepResult> StageRunner::Step() {
  if (is_done_) return StepResult::kDone;
  if (is_emitting_) return Emit();
  if (!output_->MayProduce(place_.is_gathered ? lane_chunk_[0] : 0)) return StepResult::kBlocked;
  while (Merged* merged = current()) {
    std::optional<Rows> rows = merged->lanes.Next();
    TellProducers(merged);
    if (rows) {
      ARROW_RETURN_NOT_OK(pipeline_->Process(context_, std::move(*rows), &consumer_));
      return StepResult::kProgress;
    }
    if (!merged->lanes.is_finished()) return StepResult::kBlocked;
  }
  is_emitting_ = true;
  if (place_.is_gathered) {
    open_lanes_.push_back(0);
  } else {
    open_lanes_.assign(place_.key_groups.begin(), place_.key_groups.end());
  }
  return Emit();
}

void StageRunner::TellProducers(Merged* merged) {
  if (merged->lanes.chunk() == merged->told_chunk || merged->lanes.is_finished()) return;
  merged->told_chunk = merged->lanes.chunk();
  for (const int input : merged->inputs) {
    const ExchangeProgress progress{stage_->inputs[input].stage, place_.slot, merged->told_chunk};
    for (const SlotAddress& address : assignment_->slots) {
      network_->SendProgress(address, attempt_, progress);
    }
  }
}

arrow::Result<StepResult> StageRunner::Emit() {
  const int64_t enough = sent_rows_ + kEmitRows;
  while (!open_lanes_.empty()) {
    if (turn_ == open_lanes_.size()) {
      turn_ = 0;
      ++emitted_chunk_;
    }
    const int lane = open_lanes_[turn_];
    const int64_t chunk = lane_chunk_[lane];
    if (chunk > emitted_chunk_) {
      ++turn_;
      continue;
    }
    if (sent_rows_ >= enough) return StepResult::kProgress;
    if (!output_->MayProduce(chunk)) return StepResult::kBlocked;
    ARROW_ASSIGN_OR_RAISE(const bool has_emitted,
                          pipeline_->EmitNext(context_, static_cast<uint32_t>(lane), &consumer_));
    if (has_emitted) continue;
    // A gathered stage may still have what its operators buffer.
    if (!place_.is_gathered) output_->EndLane(lane, chunk);
    open_lanes_.erase(open_lanes_.begin() + static_cast<std::ptrdiff_t>(turn_));
  }
  ARROW_RETURN_NOT_OK(Finish());
  return StepResult::kDone;
}

arrow::Status StageRunner::Finish() {
  is_done_ = true;
  const int64_t sent_rows = sent_rows_;
  ARROW_RETURN_NOT_OK(pipeline_->EndInput(context_, &consumer_));
  if (place_.is_gathered) {
    output_->EndLane(0, lane_chunk_[0]);
  } else if (sent_rows_ != sent_rows) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                     fmt::format("rows behind the end of their key group: stage={}", stage_->id));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
