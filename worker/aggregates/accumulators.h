#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "state/table/hot_table.h"
#include "worker/aggregates/aggregate_kernel.h"

namespace tidemill::worker {

// The accumulators of one operator's aggregate functions, side by side: in the columns of a batch,
// and in those of a table from `first_column` on. *Immutable.*
class Accumulators {
 public:
  using Kernels = std::vector<std::shared_ptr<const AggregateKernel>>;

  explicit Accumulators(Kernels kernels, int first_column = 0)
      : kernels_(std::move(kernels)), first_column_(first_column) {}

  static std::vector<std::shared_ptr<arrow::DataType>> TypesOf(const Kernels& kernels);

  // Adds rows [begin, end) of `partial` to rows target[0 .. end - begin) of the table. Errors: as
  // AggregateKernel::Merge.
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target, state::HotTable* table) const;
  // Appends the functions' results, one column each; `accumulators` are exported from a table.
  arrow::Status Finish(std::span<const std::shared_ptr<arrow::Array>> accumulators,
                       arrow::MemoryPool* pool,
                       std::vector<std::shared_ptr<arrow::Array>>* columns) const;

 private:
  const Kernels kernels_;
  const int first_column_;
};

}  // namespace tidemill::worker
