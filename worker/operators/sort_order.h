#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tidemill::worker {

// By key, then by row.
using SortRanks = std::vector<std::vector<uint64_t>>;

// Ranks that compare as Spark orders the key: equal values have equal ranks, so that several keys
// with different NULL placements combine into one comparison of integers.
arrow::Result<std::vector<uint64_t>> RanksOf(const std::shared_ptr<arrow::Array>& key,
                                             bool is_descending, bool nulls_first);

bool HaveSameRanks(const SortRanks& ranks, int64_t a, int64_t b);
// The rows in the order of their ranks; equal ones stay in their order.
std::vector<int64_t> StableOrder(const SortRanks& ranks, int64_t num_rows);

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, std::span<const int64_t> rows);

}  // namespace tidemill::worker
