#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"
#include "worker/stateful/expiry_index.h"
#include "worker/stateful/time_to_live.h"

namespace tidemill::worker {

// Spark's dropDuplicates and dropDuplicatesWithinWatermark: drops late rows, then passes the first
// row of each key in the order of arrival, at once, and drops the later ones. The state is the keys
// that have been seen. They are forgotten when the eviction watermark reaches the event time among
// their columns; within the watermark, when it reaches the time of the key's first row plus the
// delay (a row without a time counts as of 1970, as in Spark); without either, never, or a time to
// live after the epoch of their first row.
class Deduplicate final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<Deduplicate>> Make(DeduplicatePlan plan,
                                                          OperatorStates* states);

  void Begin(const EpochInfo& epoch) override;
  // `rows.runs` covers the batch.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  // Forgets; gives nothing.
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override;

 private:
  Deduplicate(DeduplicatePlan plan, OperatorStates* states,
              std::shared_ptr<const state::KeyCodec> codec);

  // Adds the keys of a run that are new; is_new_ says for each row of the batch whether it passes.
  arrow::Status AddKeys(const GroupRun& run, const std::optional<EventTimes>& times);

  const DeduplicatePlan plan_;
  OperatorStates* const states_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  const bool expires_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> target_;
  std::vector<uint8_t> is_new_;
  const OperatorWatermark* watermark_ = nullptr;  // of the epoch; null where none reaches here
  ExpiryIndex expiry_;
  TimeToLive ttl_;
  EpochCounters::OfOperator counters_;
  int64_t duplicates_ = 0;
};

}  // namespace tidemill::worker
