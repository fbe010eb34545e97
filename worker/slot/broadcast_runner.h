#pragma once

#include <arrow/result.h>

#include <utility>

#include "worker/join/build_table.h"
#include "worker/plan/stage_plan.h"
#include "worker/slot/lane_runner.h"
#include "worker/slot/stage_inputs.h"

namespace tidemill::worker {

// Fills the table of one broadcast on one slot in one epoch. Until it is done no stage that looks
// up in the table may run. *Thread-compatible.*
class BroadcastRunner {
 public:
  // All pointers must outlive this.
  BroadcastRunner(const BroadcastPlan* plan, StageInputs inputs, const EvalContext& context,
                  BuildTable* table)
      : plan_(plan), inputs_(std::move(inputs)), context_(context), table_(table) {}

  // Errors: as StageInputs::Add.
  arrow::Status AddFrame(ExchangeFrame frame) { return inputs_.Add(std::move(frame)); }
  // Errors of rows that cannot be evaluated name the stages that they come from.
  arrow::Result<StepResult> Step();
  bool is_done() const { return is_done_; }
  const BroadcastPlan& plan() const { return *plan_; }

 private:
  const BroadcastPlan* const plan_;
  StageInputs inputs_;
  const EvalContext context_;
  BuildTable* const table_;
  bool is_done_ = false;
};

}  // namespace tidemill::worker
