#pragma once

#include <arrow/result.h>

#include <map>

#include "worker/exchange/lane_merger.h"
#include "worker/slot/lane_runner.h"

namespace tidemill::worker {

// One stage behind an exchange on one slot in one epoch: takes the lanes of the producing stage in
// order, runs the pipeline, tells producers how far it is. Its own output has one lane per key
// group that the slot owns, or lane 0 when the stage is gathered. *Thread-compatible.*
class StageRunner {
 public:
  struct Place {
    int slot = 0;  // own index in the assignment
    bool is_gathered = false;
    int producer_lanes = 0;            // of the producing stage
    std::vector<uint32_t> key_groups;  // owned by the slot
  };

  // All pointers must outlive this.
  StageRunner(const StagePlan* stage, Place place, AttemptId attempt, const Assignment* assignment,
              const EvalContext& context, Pipeline* pipeline, RowOutput* output,
              ExchangeNetwork* network);

  void AddFrame(ExchangeFrame frame) { merger_.Add(std::move(frame)); }
  arrow::Result<StepResult> Step();

  int producing_stage() const { return stage_->exchange_stage; }
  Pipeline* pipeline() const { return pipeline_; }

 private:
  class Consumer final : public RowConsumer {
   public:
    explicit Consumer(StageRunner* runner) : runner_(runner) {}
    arrow::Status Consume(Rows rows) override;

   private:
    StageRunner* const runner_;
  };

  void TellProducers();
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
  LaneMerger merger_;
  std::map<int, int64_t> lane_chunk_;  // of the output: next chunk by lane
  int64_t told_chunk_ = 0;
  bool is_done_ = false;
};

}  // namespace tidemill::worker
