#pragma once

#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Keeps the rows whose condition is true (not false, not NULL). Key-group runs stay exact.
class Filter final : public Operator {
 public:
  explicit Filter(FilterPlan plan) : plan_(std::move(plan)) {}
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;

 private:
  const FilterPlan plan_;
};

}  // namespace tidemill::worker
