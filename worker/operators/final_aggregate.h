#pragma once

#include <memory>
#include <span>
#include <vector>

#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Spark's streaming aggregation over the keyed state of this slot's key groups: merges what partial
// aggregation sent into the state, and at the end of the epoch's input emits, key group by key
// group,
//   complete: every row of the state,
//   update: the rows that this epoch changed.
// A global aggregate (no keys) has its one row, in key group 0, from the first epoch that runs,
// also over empty input, as in Spark.
class FinalAggregate final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<FinalAggregate>> Make(FinalAggregatePlan plan,
                                                             std::shared_ptr<arrow::Schema> schema,
                                                             OperatorStates* states);

  // `rows.runs` covers the batch.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Status EndInput(const EvalContext& context, RowConsumer* out) override;

 private:
  FinalAggregate(FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                 OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec);

  arrow::Status TouchGlobalRow();
  arrow::Status Emit(const EvalContext& context, uint32_t key_group, std::span<const uint32_t> rows,
                     const state::HotTable& table, RowConsumer* out) const;

  const FinalAggregatePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  OperatorStates* const states_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> target_;
};

}  // namespace tidemill::worker
