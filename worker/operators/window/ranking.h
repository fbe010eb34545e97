#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "worker/operators/window/sorted_partitions.h"

namespace tidemill::worker {

// Functions of a row's place in its partition alone: row_number, rank, dense_rank, ntile (INT),
// percent_rank, cume_dist (DOUBLE). `buckets` is ntile's argument.
bool IsRankingFunction(std::string_view name);
arrow::Result<std::shared_ptr<arrow::Array>> ComputeRanking(std::string_view name, int64_t buckets,
                                                            const SortedPartitions& sorted,
                                                            arrow::MemoryPool* pool);

}  // namespace tidemill::worker
