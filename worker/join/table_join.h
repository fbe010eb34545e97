#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "worker/join/build_table.h"
#include "worker/join/join_plan.h"
#include "worker/operators/operator.h"

namespace tidemill::worker {

// Joins rows that pass with a bounded side, the build side, which comes first. Rows of the build
// side without a partner (right and full outer joins of bounded queries) go out at the end, key
// group by key group. Needs memory for the build side's rows: its own, or, where the build side is
// broadcast, those of a table that all joins of the slot share; then every row that it is given
// passes. *Thread-compatible.*
class TableJoin final : public Operator {
 public:
  // `shared` is null where the build side comes through the operator, else must outlive this.
  static arrow::Result<std::unique_ptr<TableJoin>> Make(JoinPlan plan,
                                                        std::shared_ptr<arrow::Schema> schema,
                                                        BuildTable* shared);

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

  TableJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema);

  arrow::Status FindPartners(const EvalContext& context, const Rows& rows, RowConsumer* out);
  arrow::Status MakePairs(const EvalContext& context, Probe* probe, RowConsumer* out);
  arrow::Status EmitRest(const EvalContext& context, const Probe& probe, RowConsumer* out);

  const JoinPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BuildTable> own_;  // null where the table is shared
  BuildTable* build_ = nullptr;
  std::vector<uint32_t> found_;

  // Where rows of the build side go out that have had no partner:
  std::vector<uint8_t> build_matched_;  // by row
  // Those, by key group, and where emitting stands.
  std::optional<std::vector<std::vector<uint32_t>>> unmatched_;
};

}  // namespace tidemill::worker
