#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "worker/operators/event_time.h"
#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/stateful/expiry_index.h"
#include "worker/stateful/keyed_function.h"
#include "worker/stateful/row_store.h"

namespace tidemill::worker {

enum class TimerClock { kEventTime, kProcessingTime };

struct KeyedProcessPlan {
  int operator_id = 0;
  std::vector<int> key_columns;               // of the input
  std::shared_ptr<arrow::Schema> key_schema;  // those columns
  std::shared_ptr<arrow::Schema> input_schema;
  std::shared_ptr<arrow::Schema> state_schema;
  EventTimeColumn event_time;  // of the input; rows are late by it where timers go by event time
  // Timers fire when the epoch's watermark, or its time, is past theirs.
  TimerClock clock = TimerClock::kProcessingTime;
  // How long after it was written (epoch times) a state lives.
  std::optional<int64_t> time_to_live_us;
  std::function<std::unique_ptr<KeyedFunction>()> make_function;
};

// Runs a KeyedFunction over the key groups of a slot. Behind a hash exchange by the key columns it
// collects the epoch's rows, then calls the function key group by key group: for the keys with
// rows, then for those with due timers; then forgets states whose time to live is over (none of the
// calls has seen them).
//
// State: one table of rows per key (row_store.h). The values are the time of a timer, the end of a
// state's life, and the state columns; a row is a timer or the state of its key.
class KeyedProcess final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<KeyedProcess>> Make(KeyedProcessPlan plan,
                                                           OperatorStates* states);
  // What the plan keeps.
  static StatefulOperator StateOf(const KeyedProcessPlan& plan);

  void Begin(const EpochInfo& epoch) override;
  // `rows.runs` covers the batch.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override;

 private:
  // How far a key group is behind the input.
  enum class Step { kRows, kTimers, kForget, kDone };
  // The keys of one call and the rows of the table that are theirs.
  struct Keys {
    uint32_t key_group = 0;
    RowStore* store = nullptr;
    int64_t count = 0;
    std::vector<uint32_t> state_rows;                     // by key; kNoRow
    std::vector<std::map<int64_t, uint32_t>> timer_rows;  // by key: time to row
  };

  KeyedProcess(KeyedProcessPlan plan, std::shared_ptr<const state::KeyCodec> codec,
               OperatorStates* states);

  arrow::Result<bool> CallForRows(const EvalContext& context, uint32_t key_group, RowConsumer* out);
  arrow::Result<bool> CallForTimers(const EvalContext& context, uint32_t key_group,
                                    RowConsumer* out);
  arrow::Status Forget(uint32_t key_group);
  arrow::Result<bool> Call(const EvalContext& context, uint32_t key_group, KeyedCall call,
                           RowConsumer* out);
  arrow::Result<Keys> FindKeys(uint32_t key_group, const arrow::RecordBatch& keys);
  arrow::Status ReadState(const EvalContext& context, const Keys& keys, KeyedCall* call) const;
  arrow::Status Apply(const KeyedAnswer& answer, Keys* keys);
  arrow::Status WriteState(const KeyedAnswer& answer, Keys* keys);
  void SetTimers(const KeyedAnswer& answer, Keys* keys);
  void Erase(state::HotTable* table, std::span<const uint32_t> rows);
  RowStore* StoreOf(uint32_t key_group);

  const KeyedProcessPlan plan_;
  const std::shared_ptr<const state::KeyCodec> codec_;  // of the rows' keys
  OperatorStates* const states_;
  const std::unique_ptr<KeyedFunction> function_;
  const OperatorWatermark* watermark_ = nullptr;
  int64_t epoch_time_us_ = 0;
  std::map<uint32_t, RowStore> stores_;                                           // by key group
  std::map<uint32_t, std::vector<std::shared_ptr<arrow::RecordBatch>>> batches_;  // likewise
  std::map<uint32_t, Step> steps_;                                                // likewise
  ExpiryIndex timers_;
  ExpiryIndex lives_;
  EpochCounters::OfOperator counters_;
  state::EncodedKeys keys_;    // scratch
  state::HotTable numbering_;  // scratch: numbers the keys of a call
};

}  // namespace tidemill::worker
