#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/expr/function_registry.h"
#include "state/table/key_codec.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Rows sorted by partition and, within it, by the window's order. Places are row numbers of `rows`.
// *Plain data.*
struct SortedPartitions {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int64_t> begins;      // of the partitions, in order; rows->num_rows() behind the last
  std::vector<int64_t> peer_begin;  // by row: the rows that the order does not tell apart
  std::vector<int64_t> peer_end;

  int64_t num_rows() const { return static_cast<int64_t>(peer_begin.size()); }
  size_t num_partitions() const { return begins.size() - 1; }
};

// Sorts all rows of a batch. The sort is stable; partitions come in the order of their first rows.
arrow::Result<SortedPartitions> SortPartitions(const EvalContext& context, const WindowPlan& plan,
                                               std::shared_ptr<const state::KeyCodec> codec,
                                               const std::shared_ptr<arrow::RecordBatch>& rows);

}  // namespace tidemill::worker
