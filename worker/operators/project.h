#pragma once

#include <memory>
#include <utility>

#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Computes the output columns of each row.
class Project final : public Operator {
 public:
  Project(ProjectPlan plan, std::shared_ptr<arrow::Schema> schema)
      : plan_(std::move(plan)), schema_(std::move(schema)) {}
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;

 private:
  const ProjectPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace tidemill::worker
