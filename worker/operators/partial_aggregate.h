#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Aggregates the rows of one lane before the exchange, so that a key crosses it once per flush
// instead of once per row. Output: keys, then accumulator columns. Flushes at the end of a chunk
// when the table has grown large, and at the end of the lane. A lane whose first rows have nearly
// all different keys is not worth it: the rest of its rows pass, each with accumulators of its own.
// All that depends on the lane's own rows only. Behind an exchange (an aggregation over another
// one) it aggregates batch by batch.
class PartialAggregate final : public Operator {
 public:
  static arrow::Result<std::unique_ptr<PartialAggregate>> Make(
      PartialAggregatePlan plan, std::shared_ptr<arrow::Schema> schema);

  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Status EndChunk(const EvalContext& context, RowConsumer* out) override;
  arrow::Status EndInput(const EvalContext& context, RowConsumer* out) override;
  void Reset() override;

 private:
  // Part of the plan's meaning, as kChunkRows: where a lane flushes decides in which order sums
  // add.
  static constexpr int64_t kFlushGroups = 1 << 18;
  static constexpr int64_t kSampleGroups = 1 << 16;  // with so many groups it is worth it or not

  PartialAggregate(PartialAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                   std::shared_ptr<const state::KeyCodec> codec, state::HotTable::Options options);

  using Columns = std::vector<std::shared_ptr<arrow::Array>>;

  arrow::Status Add(const EvalContext& context, const arrow::RecordBatch& batch);
  arrow::Status PassRows(const EvalContext& context, const arrow::RecordBatch& batch,
                         RowConsumer* out);
  arrow::Result<Columns> KeysOf(const EvalContext& context, const arrow::RecordBatch& batch) const;
  // Adds the batch's rows to the accumulators that target_ names.
  arrow::Status Update(const EvalContext& context, const arrow::RecordBatch& batch,
                       state::StateColumn* accumulators);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> KeepRows(const EvalContext& context,
                                                              const CompiledExpr& filter,
                                                              const arrow::RecordBatch& batch);
  // `key_group`: that the rows belong to, behind an exchange.
  arrow::Status Flush(const EvalContext& context, std::optional<uint32_t> key_group,
                      RowConsumer* out);

  const PartialAggregatePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  state::HotTable table_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> target_;
  std::vector<uint32_t> kept_target_;  // of the rows that an aggregate's filter lets through
  int64_t rows_in_table_ = 0;
  bool has_sampled_ = false;
  bool passes_rows_ = false;
  std::vector<state::StateColumn> row_columns_;  // accumulators of rows that pass
};

}  // namespace tidemill::worker
