#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/expr/function_registry.h"
#include "worker/exchange/frame.h"
#include "worker/join/join_plan.h"

namespace tidemill::worker {

using ColumnList = std::vector<std::shared_ptr<arrow::Array>>;

// The rows `picked` of the first `count` columns of a batch.
arrow::Result<ColumnList> TakeColumns(const arrow::RecordBatch& batch, int count,
                                      std::span<const uint32_t> picked);
// NULLs for all columns of a side.
arrow::Result<ColumnList> NullColumns(const JoinSidePlan& side, int64_t rows,
                                      arrow::MemoryPool* pool);

// Pairs of rows: columns of both sides, of which `own_side` (0: left) is one.
struct Pairs {
  int own_side = 0;
  int64_t count = 0;
  ColumnList own;
  ColumnList other;
};
// For each pair, whether it meets the join's condition. Empty: all do.
arrow::Result<std::vector<uint8_t>> Meet(const JoinPlan& plan, const EvalContext& context,
                                         const Pairs& pairs);
// The pairs as a batch of the joined schema; `meets` as Meet gives it.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PairBatch(const JoinPlan& plan,
                                                             const Pairs& pairs,
                                                             const std::vector<uint8_t>& meets);

ColumnList KeysOf(const JoinSidePlan& side, const arrow::RecordBatch& batch);
// Whether each row has a key that can match and meets the filter of the side.
arrow::Result<std::vector<uint8_t>> CanMatch(const JoinPlan& plan, const EvalContext& context,
                                             int side, const arrow::RecordBatch& batch,
                                             const ColumnList& keys);
// Whether each row has a NULL in a key column that does not match NULL.
std::vector<uint8_t> NullKeys(const JoinPlan& plan, const ColumnList& keys, int64_t rows);

// The key group of each row of a batch whose runs cover it.
std::vector<uint32_t> GroupsOf(const Rows& rows);
// Runs over rows that come from the rows `picked`, ascending, of a batch with these groups.
std::vector<GroupRun> RunsOf(std::span<const uint32_t> groups, std::span<const uint32_t> picked);

}  // namespace tidemill::worker
