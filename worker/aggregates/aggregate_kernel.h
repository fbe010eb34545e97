#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>

#include "common/expr/function_registry.h"
#include "state/table/state_column.h"

namespace tidemill::worker {

// The accumulator of one aggregate function, as columns of a state table. Everything is given in
// bulk: rows [begin, end) of the arguments go to table rows target[0 .. end - begin), which repeat
// where several rows belong to one group. *Immutable.*
//
// Floating-point sums add in row order, so that a replay gives the same bits.
class AggregateKernel {
 public:
  explicit AggregateKernel(AggregateSignature signature) : signature_(std::move(signature)) {}
  virtual ~AggregateKernel() = default;

  // Adds argument rows. `columns` is the first of the function's state columns, of which there are
  // signature().state_types.size() in a row. Errors: ARITHMETIC_OVERFLOW (kJobFailed).
  virtual arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                               int64_t end, const uint32_t* target,
                               state::StateColumn* columns) const = 0;
  // Adds accumulators that partial aggregation made.
  virtual arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                              int64_t end, const uint32_t* target,
                              state::StateColumn* columns) const = 0;
  // Results out of exported accumulators.
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const = 0;

  const AggregateSignature& signature() const { return signature_; }

 private:
  const AggregateSignature signature_;
};

// Errors: kBug PLAN_INVALID for a signature that ResolveAggregate does not give.
arrow::Result<std::shared_ptr<const AggregateKernel>> MakeAggregateKernel(
    const AggregateSignature& signature);

namespace internal {
std::shared_ptr<const AggregateKernel> MakeSumKernel(const AggregateSignature& signature);
std::shared_ptr<const AggregateKernel> MakeAverageKernel(const AggregateSignature& signature);
std::shared_ptr<const AggregateKernel> MakeMinMaxKernel(const AggregateSignature& signature);
}  // namespace internal

}  // namespace tidemill::worker
