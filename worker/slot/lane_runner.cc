#include "worker/slot/lane_runner.h"

#include <arrow/record_batch.h>

#include <utility>

namespace tidemill::worker {

LaneRunner::LaneRunner(int lane, std::vector<LaneSplit> splits, connectors::SourceReader* source,
                       connectors::ReaderContext reader_context, const EvalContext& context,
                       Pipeline* pipeline, RowOutput* output)
    : lane_(lane),
      splits_(std::move(splits)),
      source_(source),
      reader_context_(std::move(reader_context)),
      context_(context),
      pipeline_(pipeline),
      output_(output),
      consumer_(this) {}

arrow::Status LaneRunner::Consumer::Consume(Rows rows) {
  return runner_->output_->Send(runner_->lane_, runner_->chunk_, std::move(rows));
}

arrow::Result<StepResult> LaneRunner::Step() {
  if (is_done_) return StepResult::kDone;
  if (!output_->MayProduce(chunk_)) return StepResult::kBlocked;
  if (reader_ != nullptr) return ReadBatch();
  if (next_split_ == splits_.size()) {
    ARROW_RETURN_NOT_OK(Finish());
    return StepResult::kDone;
  }
  const LaneSplit& next = splits_[next_split_++];
  ARROW_ASSIGN_OR_RAISE(reader_, source_->Open(next.split, reader_context_));
  context_.seed = next.seed;
  context_.first_row = 0;
  return StepResult::kProgress;
}

arrow::Result<StepResult> LaneRunner::ReadBatch() {
  ARROW_ASSIGN_OR_RAISE(connectors::ReadStep step, reader_->Next());
  if (step.kind == connectors::ReadStep::Kind::kPending) return StepResult::kBlocked;
  if (step.kind == connectors::ReadStep::Kind::kEnd) {
    reader_.reset();
    return StepResult::kProgress;
  }
  const int64_t rows = step.batch->num_rows();
  ARROW_RETURN_NOT_OK(pipeline_->Process(context_, {std::move(step.batch), {}}, &consumer_));
  context_.first_row += rows;
  rows_read_ += rows;
  chunk_rows_ += rows;
  if (chunk_rows_ >= kChunkRows) {
    ARROW_RETURN_NOT_OK(pipeline_->EndChunk(context_, &consumer_));
    output_->EndChunk(lane_, chunk_++);
    chunk_rows_ = 0;
  }
  return StepResult::kProgress;
}

arrow::Status LaneRunner::Finish() {
  ARROW_RETURN_NOT_OK(pipeline_->EndInput(context_, &consumer_));
  output_->EndLane(lane_, chunk_);
  is_done_ = true;
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
