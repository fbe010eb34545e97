#pragma once

#include <memory>

#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Passes the first `count` rows of a stream, over all its epochs (a gathered stage). The state is
// one row: how many have passed.
class GlobalLimit final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<GlobalLimit>> Make(GlobalLimitPlan plan,
                                                          OperatorStates* states);

  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override { has_passed_ = false; }

 private:
  GlobalLimit(GlobalLimitPlan plan, OperatorStates* states, state::EncodedKeys key)
      : plan_(plan), states_(states), key_(std::move(key)) {}

  const GlobalLimitPlan plan_;
  OperatorStates* const states_;
  const state::EncodedKeys key_;  // the only one
  bool has_passed_ = false;       // rows, in this epoch
};

}  // namespace tidemill::worker
