#include "worker/operators/sort_order.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "state/table/pod_vector.h"
#include "state/table/row_codec.h"
#include "worker/aggregates/encoded_order.h"

namespace tidemill::worker {

namespace {

// Structs and arrays, which Arrow does not rank: NULLs inside are below everything.
arrow::Result<std::vector<uint64_t>> RanksOfNested(const arrow::Array& key, bool is_descending,
                                                   bool nulls_first) {
  state::PodVector<uint8_t> bytes;
  std::vector<size_t> ends;
  for (int64_t row = 0; row < key.length(); ++row) {
    state::AppendEncoded(key, row, /*normalise=*/true, &bytes);
    ends.push_back(bytes.size());
  }
  const auto value = [&](int64_t row) {
    const size_t begin = row == 0 ? 0 : ends[row - 1];
    return std::string_view(reinterpret_cast<const char*>(bytes.data()) + begin, ends[row] - begin);
  };
  arrow::Status failed;
  const auto compare = [&](int64_t a, int64_t b) {
    if (key.IsNull(a) || key.IsNull(b)) {
      const int order = static_cast<int>(key.IsNull(b)) - static_cast<int>(key.IsNull(a));
      return nulls_first ? order : -order;
    }
    const auto order = CompareEncoded(*key.type(), value(a), value(b));
    if (!order.ok()) failed = order.status();
    return order.ok() ? (is_descending ? -*order : *order) : 0;
  };
  std::vector<int64_t> rows(key.length());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
  ARROW_RETURN_NOT_OK(failed);
  std::vector<uint64_t> ranks(key.length());
  for (size_t i = 1; i < rows.size(); ++i) {
    ranks[rows[i]] = ranks[rows[i - 1]] + (compare(rows[i - 1], rows[i]) != 0 ? 1 : 0);
  }
  return ranks;
}

}  // namespace

arrow::Result<std::vector<uint64_t>> RanksOf(const std::shared_ptr<arrow::Array>& key,
                                             bool is_descending, bool nulls_first) {
  if (state::IsNestedType(*key->type())) return RanksOfNested(*key, is_descending, nulls_first);
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
