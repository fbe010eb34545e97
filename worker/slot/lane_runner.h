#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "connectors/source.h"
#include "worker/slot/pipeline.h"
#include "worker/slot/stage_output.h"

namespace tidemill::worker {

// One split of a lane and the seed of its rows.
struct LaneSplit {
  connectors::Split split;
  uint64_t seed = 0;
};

enum class StepResult {
  kProgress,  // did something; call again
  kBlocked,   // waits for data or for a consumer; someone will wake the slot
  kDone,
};

// Reads one lane of a source stage through its pipeline: split after split, a batch per step,
// marking chunks of kChunkRows input rows. An error that one row is to blame for names the place of
// the row in its source. *Thread-compatible.*
class LaneRunner {
 public:
  // All pointers must outlive this.
  LaneRunner(int lane, std::vector<LaneSplit> splits,
             std::shared_ptr<connectors::SourceReader> source,
             connectors::ReaderContext reader_context, const EvalContext& context,
             Pipeline* pipeline, RowOutput* output);

  // Batches of large splits are decoded outside of the slot, ahead of their turn
  // (connectors/read_ahead.h).
  void ReadAhead() { reads_ahead_ = true; }

  arrow::Result<StepResult> Step();

  int64_t rows_read() const { return rows_read_; }
  int64_t chunk() const { return chunk_; }
  Pipeline* pipeline() const { return pipeline_; }

 private:
  // Names the lane and chunk of what leaves the pipeline.
  class Consumer final : public RowConsumer {
   public:
    explicit Consumer(LaneRunner* runner) : runner_(runner) {}
    arrow::Status Consume(Rows rows) override;

   private:
    LaneRunner* const runner_;
  };

  // What an I/O thread finds out about a failed row.
  struct Lookup;

  arrow::Result<StepResult> ReadBatch();
  // Fails with the error, once it is known where the row of the batch stands.
  arrow::Result<StepResult> FailAt(std::optional<int64_t> row, const arrow::Status& error);
  arrow::Result<StepResult> AwaitPlace();
  arrow::Status Finish();

  const int lane_;
  const std::vector<LaneSplit> splits_;
  const std::shared_ptr<connectors::SourceReader> source_;
  const connectors::ReaderContext reader_context_;
  EvalContext context_;
  Pipeline* const pipeline_;
  RowOutput* const output_;
  Consumer consumer_;
  bool reads_ahead_ = false;
  size_t next_split_ = 0;
  std::unique_ptr<connectors::SplitReader> reader_;
  int64_t chunk_ = 0;
  int64_t chunk_rows_ = 0;
  int64_t rows_read_ = 0;
  bool is_done_ = false;
  arrow::Status error_;  // while its row is looked up
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace tidemill::worker
