#pragma once

#include <map>
#include <memory>
#include <vector>

#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Spark's streaming aggregation over the keyed state of this slot's key groups: merges what partial
// aggregation sent into the state, and behind the epoch's input emits, key group by key group,
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
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Reset() override { next_.clear(); }

 private:
  FinalAggregate(FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                 OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec);

  arrow::Status TouchGlobalRow();
  // Collects the key group's next rows in emitted_.
  void PickRows(const state::HotTable& table, uint32_t* next);

  const FinalAggregatePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  OperatorStates* const states_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> target_;
  std::map<uint32_t, uint32_t> next_;  // by key group: where emitting goes on
  std::vector<uint32_t> emitted_;
};

}  // namespace tidemill::worker
