#pragma once

#include <memory>
#include <utility>

#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Each row once for every window that holds its time, with the window's start behind the kept
// columns: the "$windows" generator of overlapping windows, by Spark's TimeWindowing. Arguments:
// the time, then the literals duration, slide and offset in microseconds. Rows whose windows leave
// gaps (a duration that is no multiple of the slide) are there for those that hold them only.
class SlidingWindows final : public Operator {
 public:
  SlidingWindows(GeneratePlan plan, std::shared_ptr<arrow::Schema> schema)
      : plan_(std::move(plan)), schema_(std::move(schema)) {}

  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;

 private:
  const GeneratePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace tidemill::worker
