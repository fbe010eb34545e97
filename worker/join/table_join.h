#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/join/join_plan.h"
#include "worker/join/joined_rows.h"
#include "worker/operators/operator.h"

namespace tidemill::worker {

// Joins rows that pass with a bounded side, the build side, which comes first and is kept until the
// epoch ends; a static table's until an epoch brings another one (EpochInfo::keeps_builds). Rows of
// the build side without a partner (right and full outer joins of bounded queries) go out at the
// end, key group by key group. Needs memory for the build side's rows.
class TableJoin final : public Operator {
 public:
  static arrow::Result<std::unique_ptr<TableJoin>> Make(JoinPlan plan,
                                                        std::shared_ptr<arrow::Schema> schema);

  void Begin(const EpochInfo& epoch) override;
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Reset() override;

 private:
  static constexpr size_t kPairs = 1 << 15;  // that are made at once

  // One batch of the passing side while it finds its partners.
  struct Probe {
    const Rows* rows = nullptr;
    std::vector<uint32_t> groups;
    std::vector<uint8_t> can_match;  // its key is not NULL and it meets the side's filter
    std::vector<uint8_t> has_matched;
    std::vector<uint32_t> own;    // candidate pairs: rows of the batch
    std::vector<uint32_t> other;  // and of the build side
  };

  TableJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema,
            std::shared_ptr<const state::KeyCodec> codec);

  // Rows with a key that can match and that meet the filter of the side.
  arrow::Result<std::vector<uint8_t>> CanMatch(const EvalContext& context, int side,
                                               const arrow::RecordBatch& batch,
                                               const ColumnList& keys) const;
  void ForgetBuild();
  arrow::Status AddToBuild(const EvalContext& context, const Rows& rows);
  arrow::Status FinishBuild();
  arrow::Status FindPartners(const EvalContext& context, const Rows& rows, RowConsumer* out);
  arrow::Status MakePairs(const EvalContext& context, Probe* probe, RowConsumer* out);
  arrow::Status EmitRest(const EvalContext& context, const Probe& probe, RowConsumer* out);

  const JoinPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  state::EncodedKeys keys_;
  std::vector<uint32_t> found_;

  state::HotTable directory_;  // the different keys of the build side; row i heads chain i
  struct Chain {
    uint32_t first = state::HotTable::kNoRow;
    uint32_t last = state::HotTable::kNoRow;
  };
  std::vector<Chain> chains_;
  std::vector<uint32_t> next_;  // by row of the build side
  std::vector<std::shared_ptr<arrow::RecordBatch>> build_batches_;
  std::shared_ptr<arrow::RecordBatch> build_;  // all of them, once the other side begins
  std::vector<uint32_t> build_groups_;         // by row, where unmatched rows are kept
  std::vector<uint8_t> build_matched_;
  bool is_built_ = false;
  bool has_build_ = false;   // an epoch has brought one, maybe of no rows
  bool is_missing_ = false;  // the driver thinks that one had
  // Rows without partner by key group, and where emitting stands.
  std::optional<std::vector<std::vector<uint32_t>>> unmatched_;
};

}  // namespace tidemill::worker
