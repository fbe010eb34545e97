#pragma once

#include <memory>

#include "worker/operators/epoch_info.h"
#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Notes the event times of all rows that pass, for the driver's next watermark. A row without one
// counts as 1970, as in Spark.
class Watermark final : public Operator {
 public:
  explicit Watermark(WatermarkPlan plan) : plan_(plan) {}

  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override { stats_ = {}; }

 private:
  const WatermarkPlan plan_;
  EventTimeStats stats_;
};

}  // namespace tidemill::worker
