#include "worker/operators/window/sorted_partitions.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include <utility>

#include "state/table/hot_table.h"
#include "worker/operators/sort_order.h"

namespace tidemill::worker {

namespace {

// The number of each row's partition, counted from 0 in the order of appearance.
arrow::Result<std::vector<uint64_t>> PartitionIds(const WindowPlan& plan,
                                                  std::shared_ptr<const state::KeyCodec> codec,
                                                  const arrow::RecordBatch& rows) {
  std::vector<uint64_t> ids(rows.num_rows(), 0);
  if (plan.partition_columns.empty()) return ids;
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int column : plan.partition_columns) keys.push_back(rows.column(column));
  state::EncodedKeys encoded;
  ARROW_RETURN_NOT_OK(codec->Encode(keys, rows.num_rows(), &encoded));
  state::HotTable table({.keys = std::move(codec), .values = {}, .is_transactional = false});
  std::vector<uint32_t> found(rows.num_rows());
  table.FindOrInsert(encoded, 0, rows.num_rows(), found.data(), nullptr);
  ids.assign(found.begin(), found.end());
  return ids;
}

}  // namespace

arrow::Result<SortedPartitions> SortPartitions(const EvalContext& context, const WindowPlan& plan,
                                               std::shared_ptr<const state::KeyCodec> codec,
                                               const std::shared_ptr<arrow::RecordBatch>& rows) {
  SortRanks ranks;
  ARROW_ASSIGN_OR_RAISE(auto ids, PartitionIds(plan, std::move(codec), *rows));
  ranks.push_back(std::move(ids));
  for (size_t i = 0; i < plan.order.keys.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto key, plan.order.keys[i]->Evaluate(context, *rows));
    ARROW_ASSIGN_OR_RAISE(auto rank,
                          RanksOf(key, plan.order.descending[i], plan.order.nulls_first[i]));
    ranks.push_back(std::move(rank));
  }
  const std::vector<int64_t> order = StableOrder(ranks, rows->num_rows());
  SortedPartitions sorted;
  ARROW_ASSIGN_OR_RAISE(sorted.rows, TakeRows(rows, order));

  const auto num_rows = static_cast<int64_t>(order.size());
  sorted.peer_begin.resize(num_rows);
  sorted.peer_end.resize(num_rows);
  int64_t peers = 0;
  for (int64_t i = 0; i < num_rows; ++i) {
    const bool is_new_partition = i == 0 || ranks[0][order[i]] != ranks[0][order[i - 1]];
    if (is_new_partition) sorted.begins.push_back(i);
    if (is_new_partition || !HaveSameRanks(ranks, order[i], order[i - 1])) peers = i;
    sorted.peer_begin[i] = peers;
  }
  sorted.begins.push_back(num_rows);
  for (int64_t i = num_rows - 1; i >= 0; --i) {
    const bool is_last = i + 1 == num_rows || sorted.peer_begin[i + 1] != sorted.peer_begin[i];
    sorted.peer_end[i] = is_last ? i + 1 : sorted.peer_end[i + 1];
  }
  return sorted;
}

}  // namespace tidemill::worker
