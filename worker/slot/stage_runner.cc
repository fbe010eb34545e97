#include "worker/slot/stage_runner.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

namespace {

StageInputs::Place PlaceOfInputs(const StagePlan& stage, const StageRunner::Place& place) {
  StageInputs::Place inputs{stage.id, place.slot, place.lanes, {}};
  if (!place.is_gathered) inputs.key_groups = place.key_groups;
  return inputs;
}

}  // namespace

StageRunner::StageRunner(const StagePlan* stage, Place place, const AttemptId& attempt,
                         const Assignment* assignment, const EvalContext& context,
                         Pipeline* pipeline, RowOutput* output, ExchangeNetwork* network)
    : stage_(stage),
      place_(std::move(place)),
      context_(context),
      pipeline_(pipeline),
      output_(output),
      consumer_(this),
      inputs_(&stage->inputs, PlaceOfInputs(*stage, place_), attempt, assignment, network) {}

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
  if (std::optional<Rows> rows = inputs_.Next()) {
    ARROW_RETURN_NOT_OK(pipeline_->Process(context_, std::move(*rows), &consumer_));
    return StepResult::kProgress;
  }
  if (!inputs_.is_finished()) return StepResult::kBlocked;
  is_emitting_ = true;
  if (place_.is_gathered) {
    open_lanes_.push_back(0);
  } else {
    open_lanes_.assign(place_.key_groups.begin(), place_.key_groups.end());
  }
  return Emit();
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
