#include "worker/slot/stage_runner.h"

#include <utility>

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
      merger_(place_.producer_lanes) {}

// Rows of a keyed stage belong to one key group each; every piece is a chunk of its lane.
arrow::Status StageRunner::Consumer::Consume(Rows rows) {
  const int lane = runner_->place_.is_gathered || rows.runs.empty()
                       ? 0
                       : static_cast<int>(rows.runs[0].key_group);
  const int64_t chunk = runner_->lane_chunk_[lane]++;
  ARROW_RETURN_NOT_OK(runner_->output_->Send(lane, chunk, std::move(rows)));
  runner_->output_->EndChunk(lane, chunk);
  return arrow::Status::OK();
}

arrow::Result<StepResult> StageRunner::Step() {
  if (is_done_) return StepResult::kDone;
  if (!output_->MayProduce(0)) return StepResult::kBlocked;
  std::optional<Rows> rows = merger_.Next();
  TellProducers();
  if (rows) {
    ARROW_RETURN_NOT_OK(pipeline_->Process(context_, std::move(*rows), &consumer_));
    return StepResult::kProgress;
  }
  if (!merger_.is_finished()) return StepResult::kBlocked;
  ARROW_RETURN_NOT_OK(Finish());
  return StepResult::kDone;
}

void StageRunner::TellProducers() {
  if (merger_.chunk() == told_chunk_ || merger_.is_finished()) return;
  told_chunk_ = merger_.chunk();
  const ExchangeProgress progress{stage_->exchange_stage, place_.slot, told_chunk_};
  for (const SlotAddress& address : assignment_->slots)
    network_->SendProgress(address, attempt_, progress);
}

arrow::Status StageRunner::Finish() {
  ARROW_RETURN_NOT_OK(pipeline_->EndInput(context_, &consumer_));
  if (place_.is_gathered) {
    output_->EndLane(0, lane_chunk_[0]);
  } else {
    for (uint32_t group : place_.key_groups) {
      output_->EndLane(static_cast<int>(group), lane_chunk_[static_cast<int>(group)]);
    }
  }
  is_done_ = true;
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
