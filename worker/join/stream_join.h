#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "worker/join/join_plan.h"
#include "worker/join/joined_rows.h"
#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"
#include "worker/stateful/expiry_index.h"
#include "worker/stateful/row_store.h"

namespace tidemill::worker {

// Spark's symmetric hash join of two streams (StreamingSymmetricHashJoinExec, state format 2). A
// row that is not late finds its partners among the other side's rows that are kept, then is kept
// itself, with a mark whether it has had a partner. At the end of the epoch, rows that the side's
// state watermark has reached go; unmatched ones of an outer side go out with NULLs. A left semi
// join gives a left row once and does not keep one that has been given.
//
// State: one table per side, rows by join key in the order of their arrival; values are the side's
// columns and, last, the mark.
class StreamJoin final : public Operator {
 public:
  // `states` must outlive this.
  static arrow::Result<std::unique_ptr<StreamJoin>> Make(JoinPlan plan,
                                                         std::shared_ptr<arrow::Schema> schema,
                                                         OperatorStates* states);

  void Begin(const EpochInfo& epoch) override;
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Report(EpochCounters* counters) const override;
  void Reset() override;

 private:
  static constexpr size_t kPairs = 1 << 15;  // that are made at once

  struct Side {
    std::shared_ptr<const state::KeyCodec> codec;  // of the row store
    std::map<uint32_t, RowStore> stores;           // by key group
    std::unique_ptr<ExpiryIndex> expiry;           // where the side's rows go by their time
    std::optional<int64_t> state_watermark_us;     // of the epoch
  };
  // The rows of one batch on their way through. Candidate pairs of all its key groups are made
  // together: a group has few of them, too few for a kernel call each.
  struct Batch {
    int side = 0;
    const arrow::RecordBatch* rows = nullptr;
    std::vector<uint8_t> has_matched;  // by row of the batch
    std::vector<uint32_t> own;         // candidate pairs: rows of the batch
    std::vector<uint32_t> other;       // and of the other side's table
    std::vector<GroupRun> groups;      // of the pairs
  };

  StreamJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states);

  int TableId(int side) const { return plan_.operator_id + side; }
  state::HotTable* TableOf(int side, uint32_t key_group);
  RowStore& StoreOf(int side, uint32_t key_group);  // attached to the table as it is now
  int MarkColumn(int side) const { return plan_.sides[side].columns(); }

  // Takes out the rows that fail the side's filter; those of an outer side go out at once.
  arrow::Result<Rows> ApplyFilter(const EvalContext& context, Rows rows, RowConsumer* out);
  arrow::Status FindPartners(const EvalContext& context, const GroupRun& run, Batch* batch,
                             RowConsumer* out);
  arrow::Status MakePairs(const EvalContext& context, Batch* batch, RowConsumer* out);
  arrow::Result<ColumnList> OtherColumns(const EvalContext& context, const Batch& batch);
  // The joined rows of the pairs that meet the condition.
  arrow::Status EmitPairs(const Pairs& pairs, std::span<const GroupRun> groups,
                          const std::vector<uint8_t>& meets, RowConsumer* out);
  arrow::Status EmitMatched(const EvalContext& context, const Rows& rows, const Batch& batch,
                            RowConsumer* out);
  arrow::Status EmitSemi(const EvalContext& context, std::span<const uint32_t> partners,
                         uint32_t key_group, RowConsumer* out);
  arrow::Status Keep(const Batch& batch, const GroupRun& run);
  void MarkMatched(int side, uint32_t key_group, std::span<const uint32_t> rows);
  arrow::Status EmitAlone(const EvalContext& context, int side, ColumnList columns,
                          uint32_t key_group, RowConsumer* out);
  // Rows of a side that have gone: what of it goes out.
  arrow::Result<bool> Evict(const EvalContext& context, int side, uint32_t key_group,
                            RowConsumer* out);

  const JoinPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  OperatorStates* const states_;
  std::array<Side, 2> sides_;
  const OperatorWatermark* watermark_ = nullptr;
  state::EncodedKeys keys_;
  std::vector<uint8_t> null_keys_;
  std::vector<uint32_t> first_;   // scratch: first partners of a run's rows
  std::vector<uint32_t> picked_;  // scratch: rows of a run that are kept
  std::vector<uint32_t> kept_;    // scratch: where
  // Rows taken out of the index that are still to be evicted, by side and key group.
  std::array<std::map<uint32_t, std::vector<uint32_t>>, 2> expired_;
  EpochCounters::OfOperator counters_;
};

}  // namespace tidemill::worker
