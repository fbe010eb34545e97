#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "worker/aggregates/accumulators.h"
#include "worker/operators/group_emission.h"
#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"
#include "worker/stateful/expiry_index.h"
#include "worker/stateful/time_to_live.h"

namespace tidemill::worker {

// Spark's streaming aggregation over the keyed state of this slot's key groups: drops partial rows
// that are late (not in complete mode), merges the others into the state, and behind the epoch's
// input emits, key group by key group,
//   complete: every row of the state,
//   update: the rows that this epoch changed; then evicts those that the watermark has reached,
//   append: the rows that the watermark has reached, and evicts them.
// With a time to live, keys that have not changed for so long are forgotten silently before that.
// A global aggregate (no keys) has its one row, in key group 0, from the first epoch that runs,
// also over empty input, as in Spark.
class FinalAggregate final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<FinalAggregate>> Make(FinalAggregatePlan plan,
                                                             std::shared_ptr<arrow::Schema> schema,
                                                             OperatorStates* states);

  void Begin(const EpochInfo& epoch) override;
  // `rows.runs` covers the batch.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override;

 private:
  FinalAggregate(FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                 OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec);

  arrow::Status TouchGlobalRow();
  arrow::Status BeginEmission(uint32_t key_group, state::HotTable* table, GroupEmission* emission);
  arrow::Status EmitPicked(const EvalContext& context, const state::HotTable& table,
                           uint32_t key_group, RowConsumer* out);
  // The rows of the key group that the watermark has reached.
  arrow::Result<std::vector<uint32_t>> TakeExpired(uint32_t key_group,
                                                   const state::HotTable& table);
  void Evict(state::HotTable* table, std::span<const uint32_t> rows);

  const FinalAggregatePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  OperatorStates* const states_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  const Accumulators accumulators_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> target_;
  std::vector<uint8_t> is_new_;
  const OperatorWatermark* watermark_ = nullptr;  // of the epoch; null where none reaches here
  std::map<uint32_t, GroupEmission> emissions_;   // by key group
  ExpiryIndex expiry_;
  TimeToLive ttl_;
  std::vector<uint32_t> emitted_;
  EpochCounters::OfOperator counters_;
};

}  // namespace tidemill::worker
