#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Sorts all rows of the epoch (a gathered stage): stable, NULL placement per key, NaN above all
// numbers.
class Sort final : public Operator {
 public:
  Sort(SortPlan plan, std::shared_ptr<arrow::Schema> schema)
      : plan_(std::move(plan)), schema_(std::move(schema)) {}
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Reset() override;

 private:
  arrow::Status SortAll(const EvalContext& context);

  const SortPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  // Behind the input: all rows, the order of those to emit, and how many have been.
  std::shared_ptr<arrow::RecordBatch> all_;
  std::vector<int64_t> order_;
  size_t emitted_ = 0;
};

// Passes `count` rows of the epoch behind the first `offset` ones (a gathered stage).
class Limit final : public Operator {
 public:
  explicit Limit(LimitPlan plan) : plan_(plan) { Reset(); }
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Status EndInput(const EvalContext& context, RowConsumer* out) override;
  void Reset() override {
    skipped_ = 0;
    passed_ = 0;
  }

 private:
  const LimitPlan plan_;
  int64_t skipped_ = 0;
  int64_t passed_ = 0;
};

}  // namespace tidemill::worker
