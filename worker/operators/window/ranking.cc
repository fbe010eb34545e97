#include "worker/operators/window/ranking.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <array>

namespace tidemill::worker {

namespace {

constexpr std::string_view kRowId = "monotonically_increasing_id";
constexpr std::array<std::string_view, 7> kRanking = {
    "row_number", "rank", "dense_rank", "ntile", "percent_rank", "cume_dist", kRowId};

// Calls `visit(i, begin, end, distinct)` for every row: its place, its partition, and how many
// different values of the order have been seen in the partition up to it.
template <class Visit>
void ForEachRow(const SortedPartitions& sorted, const Visit& visit) {
  for (size_t partition = 0; partition < sorted.num_partitions(); ++partition) {
    const int64_t begin = sorted.begins[partition];
    const int64_t end = sorted.begins[partition + 1];
    int64_t distinct = 0;
    for (int64_t i = begin; i < end; ++i) {
      if (sorted.peer_begin[i] == i) ++distinct;
      visit(i, begin, end, distinct);
    }
  }
}

// The first `rows % buckets` buckets hold one row more than the others.
int64_t BucketOf(int64_t row, int64_t rows, int64_t buckets) {
  const int64_t size = rows / buckets;
  const int64_t larger = rows % buckets;
  const int64_t in_larger = larger * (size + 1);
  if (row < in_larger) return row / (size + 1) + 1;
  return larger + (row - in_larger) / std::max<int64_t>(size, 1) + 1;
}

arrow::Result<std::shared_ptr<arrow::Array>> ComputeShare(std::string_view name,
                                                          const SortedPartitions& sorted,
                                                          arrow::MemoryPool* pool) {
  arrow::DoubleBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(sorted.num_rows()));
  const bool is_percent_rank = name == "percent_rank";
  ForEachRow(sorted, [&](int64_t i, int64_t begin, int64_t end, int64_t distinct) {
    const auto rows = static_cast<double>(end - begin);
    if (!is_percent_rank) {
      builder.UnsafeAppend(static_cast<double>(sorted.peer_end[i] - begin) / rows);
    } else if (end - begin == 1) {
      builder.UnsafeAppend(0.0);
    } else {
      builder.UnsafeAppend(static_cast<double>(sorted.peer_begin[i] - begin) / (rows - 1.0));
    }
  });
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> NumberRows(const SortedPartitions& sorted,
                                                        arrow::MemoryPool* pool) {
  arrow::Int64Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(sorted.num_rows()));
  for (int64_t i = 0; i < sorted.num_rows(); ++i) builder.UnsafeAppend(i);
  return builder.Finish();
}

}  // namespace

bool IsRankingFunction(std::string_view name) {
  return std::find(kRanking.begin(), kRanking.end(), name) != kRanking.end();
}

arrow::Result<std::shared_ptr<arrow::Array>> ComputeRanking(std::string_view name, int64_t buckets,
                                                            const SortedPartitions& sorted,
                                                            arrow::MemoryPool* pool) {
  if (name == "percent_rank" || name == "cume_dist") return ComputeShare(name, sorted, pool);
  if (name == kRowId) return NumberRows(sorted, pool);
  arrow::Int32Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(sorted.num_rows()));
  ForEachRow(sorted, [&](int64_t i, int64_t begin, int64_t end, int64_t distinct) {
    int64_t value = i - begin + 1;
    if (name == "rank") value = sorted.peer_begin[i] - begin + 1;
    if (name == "dense_rank") value = distinct;
    if (name == "ntile") value = BucketOf(i - begin, end - begin, buckets);
    builder.UnsafeAppend(static_cast<int32_t>(value));
  });
  return builder.Finish();
}

}  // namespace tidemill::worker
