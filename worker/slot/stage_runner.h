#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <vector>

#include "worker/exchange/lane_merger.h"
#include "worker/slot/lane_runner.h"

namespace tidemill::worker {

// One stage behind exchanges on one slot in one epoch: takes the lanes of the producing stages in
// order (inputs side by side, build inputs before the others), runs the pipeline, tells producers
// how far it is. Its own output has one lane per key
// group that the slot owns, or lane 0 when the stage is gathered; each piece is a chunk of its
// lane. What goes out behind the input goes lane by lane, chunk by chunk, which is the order in
// which consumers take it: only so can it stop wherever they have no room. *Thread-compatible.*
class StageRunner {
 public:
  struct Place {
    int slot = 0;  // own index in the assignment
    bool is_gathered = false;
    std::vector<int> lanes;            // of the producing stages, by input
    std::vector<uint32_t> key_groups;  // owned by the slot
  };

  // All pointers must outlive this.
  StageRunner(const StagePlan* stage, Place place, AttemptId attempt, const Assignment* assignment,
              const EvalContext& context, Pipeline* pipeline, RowOutput* output,
              ExchangeNetwork* network);

  // Errors: EXCHANGE_FRAME_INVALID (kUnavailable) for rows of another schema or of key groups that
  // are not here, or out of order.
  arrow::Status AddFrame(ExchangeFrame frame);
  arrow::Result<StepResult> Step();

  Pipeline* pipeline() const { return pipeline_; }

 private:
  class Consumer final : public RowConsumer {
   public:
    explicit Consumer(StageRunner* runner) : runner_(runner) {}
    arrow::Status Consume(Rows rows) override;

   private:
    arrow::Status Send(Rows rows);  // of one key group

    StageRunner* const runner_;
  };

  // Inputs that are merged with each other, lane after lane.
  struct Merged {
    LaneMerger lanes;
    std::vector<int> inputs;
    int64_t told_chunk = 0;
  };
  // Where the lanes of an input are.
  struct Input {
    size_t merged = 0;
    int first_lane = 0;
    std::shared_ptr<arrow::Schema> accepted_schema;  // the last one found to fit
  };

  arrow::Status CheckRows(int input, const Rows& rows);
  Merged* current();  // the first one that is not finished, or nullptr
  void TellProducers(Merged* merged);
  // Emits about kEmitRows rows, as far as there is room.
  arrow::Result<StepResult> Emit();
  arrow::Status Finish();

  const StagePlan* const stage_;
  const Place place_;
  const AttemptId attempt_;
  const Assignment* const assignment_;
  const EvalContext context_;
  Pipeline* const pipeline_;
  RowOutput* const output_;
  ExchangeNetwork* const network_;
  Consumer consumer_;
  std::vector<Input> inputs_;
  std::vector<Merged> merged_;         // in the order in which they are taken
  std::map<int, int64_t> lane_chunk_;  // of the output: next chunk by lane
  int64_t sent_rows_ = 0;
  // While emitting: lanes that have not ended, ascending; the one whose turn it is; and the chunk
  // that all of them are given before the next.
  std::vector<int> open_lanes_;
  size_t turn_ = 0;
  int64_t emitted_chunk_ = 0;
  bool is_emitting_ = false;  // the input has ended
  bool is_done_ = false;
};

}  // namespace tidemill::worker
