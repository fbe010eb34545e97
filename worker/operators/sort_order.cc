#include "worker/operators/sort_order.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>

namespace tidemill::worker {

arrow::Result<std::vector<uint64_t>> RanksOf(const std::shared_ptr<arrow::Array>& key,
                                             bool is_descending, bool nulls_first) {
  const auto order =
      is_descending ? arrow::compute::SortOrder::Descending : arrow::compute::SortOrder::Ascending;
  const auto placement =
      nulls_first ? arrow::compute::NullPlacement::AtStart : arrow::compute::NullPlacement::AtEnd;
  arrow::compute::RankOptions options(order, placement, arrow::compute::RankOptions::Dense);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum ranks, arrow::compute::CallFunction("rank", {key}, &options));
  const auto array = ranks.make_array();
  const auto& values = static_cast<const arrow::UInt64Array&>(*array);
  return std::vector<uint64_t>(values.raw_values(), values.raw_values() + values.length());
}

bool HaveSameRanks(const SortRanks& ranks, int64_t a, int64_t b) {
  return std::all_of(ranks.begin(), ranks.end(),
                     [&](const std::vector<uint64_t>& rank) { return rank[a] == rank[b]; });
}

std::vector<int64_t> StableOrder(const SortRanks& ranks, int64_t num_rows) {
  std::vector<int64_t> order(num_rows);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&ranks](int64_t a, int64_t b) {
    for (const auto& rank : ranks) {
      if (rank[a] != rank[b]) return rank[a] < rank[b];
    }
    return false;
  });
  return order;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, std::span<const int64_t> rows) {
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.AppendValues(rows.data(), static_cast<int64_t>(rows.size())));
  ARROW_ASSIGN_OR_RAISE(const auto places, indices.Finish());
  ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(batch, places));
  return taken.record_batch();
}

}  // namespace tidemill::worker
