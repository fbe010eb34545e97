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
#include "worker/stateful/row_store.h"

namespace tidemill::worker {

// Spark's aggregation by session_window: a partial row is a session [start, end) of its key, and
// sessions of a key that overlap or touch become one. Keeps the sessions of every key, each a row
// of the table: start, end, accumulators. Drops partial rows that are late by their end, and behind
// the epoch's input emits
//   complete: every session,
//   append: the sessions whose end the watermark has reached, and forgets them.
// Accumulators of a session are merged in the order of their starts, those of the state before
// those of the batch.
class SessionAggregate final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<SessionAggregate>> Make(
      SessionAggregatePlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states);
  // Of the table's rows.
  static std::vector<std::shared_ptr<arrow::DataType>> KeyTypes(const SessionAggregatePlan& plan);
  static std::vector<std::shared_ptr<arrow::DataType>> ValueTypes(const SessionAggregatePlan& plan);

  void Begin(const EpochInfo& epoch) override;
  // `rows.runs` covers the batch.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override;

 private:
  SessionAggregate(SessionAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                   OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec);

  // The starts and ends of a batch's sessions.
  struct Times {
    const int64_t* starts = nullptr;
    const int64_t* ends = nullptr;
  };
  // A session of the state or a row of the batch.
  struct Part {
    uint32_t key = 0;  // number of the key within the run
    int64_t start = 0;
    int64_t end = 0;
    bool is_input = false;
    uint32_t row = 0;  // of the table, or of the batch
  };
  // Parts that become one session.
  struct Cluster {
    size_t begin = 0;  // in parts_
    size_t end = 0;
    int64_t end_time = 0;
    uint32_t target = 0;  // row of the table
  };
  // What is to be merged, in order: rows of the batch, and of the table those that are folded.
  struct Merges {
    std::vector<uint32_t> sources;  // row of the run; from its length on, place in `folded`
    std::vector<uint32_t> targets;
    std::vector<uint32_t> folded;
  };

  arrow::Status MergeRun(const arrow::RecordBatch& batch, const Times& times, const GroupRun& run);
  void CollectParts(const Times& times, const GroupRun& run, RowStore* store);
  void FindClusters();
  void PlaceClusters(RowStore* store);
  arrow::Status MergeParts(const arrow::RecordBatch& batch, const GroupRun& run,
                           state::HotTable* table);
  void WriteTimes(uint32_t key_group, state::HotTable* table);
  arrow::Status BeginEmission(uint32_t key_group, state::HotTable* table, GroupEmission* emission);
  arrow::Status EmitPicked(const EvalContext& context, const state::HotTable& table,
                           uint32_t key_group, RowConsumer* out);

  const SessionAggregatePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  OperatorStates* const states_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  const Accumulators accumulators_;
  const OperatorWatermark* watermark_ = nullptr;  // of the epoch; null where none reaches here
  std::map<uint32_t, RowStore> stores_;           // by key group
  ExpiryIndex expiry_;
  std::map<uint32_t, GroupEmission> emissions_;    // by key group
  std::map<uint32_t, uint32_t> epoch_first_rows_;  // by key group: rows from here on are new
  EpochCounters::OfOperator counters_;
  // Scratch, from run to run.
  state::EncodedKeys keys_;
  state::HotTable run_keys_;  // numbers the keys of a run
  std::vector<uint32_t> key_of_row_;
  std::vector<uint32_t> first_session_;
  std::vector<Part> parts_;
  std::vector<Cluster> clusters_;
  std::vector<uint32_t> picked_;
  std::vector<uint32_t> emitted_;
};

}  // namespace tidemill::worker
