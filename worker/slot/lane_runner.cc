#include "worker/slot/lane_runner.h"

#include <arrow/record_batch.h>

#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "connectors/read_ahead.h"
#include "worker/slot/failed_row.h"

namespace tidemill::worker {

namespace {

// Below this size of a split the threads' meeting costs more than it gains.
constexpr int64_t kWorthReadingAhead = 1 << 20;

bool IsWorthReadingAhead(const connectors::Split& split) {
  return !split.path.empty() && split.end - split.begin >= kWorthReadingAhead;
}

}  // namespace

struct LaneRunner::Lookup {
  Mutex mutex;
  std::optional<std::string> place GUARDED_BY(mutex);
};

LaneRunner::LaneRunner(int lane, std::vector<LaneSplit> splits,
                       std::shared_ptr<connectors::SourceReader> source,
                       connectors::ReaderContext reader_context, const EvalContext& context,
                       Pipeline* pipeline, RowOutput* output)
    : lane_(lane),
      splits_(std::move(splits)),
      source_(std::move(source)),
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
  if (lookup_ != nullptr) return AwaitPlace();
  if (!output_->MayProduce(chunk_)) return StepResult::kBlocked;
  if (reader_ != nullptr) return ReadBatch();
  if (next_split_ == splits_.size()) {
    ARROW_RETURN_NOT_OK(Finish());
    return StepResult::kDone;
  }
  const LaneSplit& next = splits_[next_split_++];
  const bool is_ahead = reads_ahead_ && IsWorthReadingAhead(next.split);
  ARROW_ASSIGN_OR_RAISE(reader_, is_ahead
                                     ? connectors::OpenAhead(source_, next.split, reader_context_)
                                     : source_->Open(next.split, reader_context_));
  context_.seed = next.seed;
  context_.first_row = 0;
  return StepResult::kProgress;
}

arrow::Result<StepResult> LaneRunner::ReadBatch() {
  const arrow::Result<connectors::ReadStep> read = reader_->Next();
  if (!read.ok()) {
    const ErrorDetail* detail = DetailOf(read.status());
    return FailAt(detail == nullptr ? std::nullopt : detail->row, read.status());
  }
  if (read->kind == connectors::ReadStep::Kind::kPending) return StepResult::kBlocked;
  if (read->kind == connectors::ReadStep::Kind::kEnd) {
    reader_.reset();
    return StepResult::kProgress;
  }
  const int64_t rows = read->batch->num_rows();
  const arrow::Status processed = pipeline_->Process(context_, {read->batch, {}}, &consumer_);
  if (!processed.ok()) {
    const bool is_of_data = KindOf(processed) == ErrorKind::kJobFailed;
    return FailAt(
        is_of_data ? FindFailedRow(*pipeline_, context_, *read->batch, processed) : std::nullopt,
        processed);
  }
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

arrow::Result<StepResult> LaneRunner::FailAt(std::optional<int64_t> row,
                                             const arrow::Status& error) {
  if (!row) return error;
  error_ = error;
  lookup_ = std::make_shared<Lookup>();
  const auto look = [lookup = lookup_, find = reader_->PlaceOf(*row), wake = reader_context_.wake] {
    std::string place = find();
    {
      MutexLock lock(&lookup->mutex);
      lookup->place = std::move(place);
    }
    if (wake) wake();
  };
  if (reader_context_.io != nullptr) {
    reader_context_.io->Post(look);
  } else {
    look();
  }
  return AwaitPlace();
}

arrow::Result<StepResult> LaneRunner::AwaitPlace() {
  MutexLock lock(&lookup_->mutex);
  if (!lookup_->place) return StepResult::kBlocked;
  return WithPlace(error_, *lookup_->place);
}

arrow::Status LaneRunner::Finish() {
  ARROW_RETURN_NOT_OK(pipeline_->EndInput(context_, &consumer_));
  output_->EndLane(lane_, chunk_);
  is_done_ = true;
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
