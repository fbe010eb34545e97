#pragma once

#include <arrow/result.h>

#include <map>
#include <memory>
#include <vector>

#include "worker/slot/lane_runner.h"
#include "worker/slot/stage_inputs.h"

namespace tidemill::worker {

// One stage behind exchanges on one slot in one epoch: takes its inputs (stage_inputs.h), runs the
// pipeline. Its own output has one lane per key group that the slot owns, or lane 0 when the stage
// is gathered; each piece is a chunk of its lane. What goes out behind the input goes lane by lane,
// chunk by chunk, which is the order in which consumers take it: only so can it stop wherever they
// have no room. *Thread-compatible.*
class StageRunner {
 public:
  struct Place {
    int slot = 0;  // own index in the assignment
    bool is_gathered = false;
    std::vector<int> lanes;            // of the producing stages, by input
    std::vector<uint32_t> key_groups;  // owned by the slot
  };

  // All pointers must outlive this.
  StageRunner(const StagePlan* stage, Place place, const AttemptId& attempt,
              const Assignment* assignment, const EvalContext& context, Pipeline* pipeline,
              RowOutput* output, ExchangeNetwork* network);

  // Errors: as StageInputs::Add.
  arrow::Status AddFrame(ExchangeFrame frame) { return inputs_.Add(std::move(frame)); }
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

  // Emits about kEmitRows rows, as far as there is room.
  arrow::Result<StepResult> Emit();
  arrow::Status Finish();

  const StagePlan* const stage_;
  const Place place_;
  const EvalContext context_;
  Pipeline* const pipeline_;
  RowOutput* const output_;
  Consumer consumer_;
  StageInputs inputs_;
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
