#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>

#include "common/aggregates/aggregate_registry.h"
#include "state/table/state_column.h"

namespace tidemill::worker {

// The accumulator of one aggregate function, as columns of a state table. Everything is given in
// bulk: rows [begin, end) of the arguments go to table rows target[0 .. end - begin), which repeat
// where several rows belong to one group. *Immutable.*
//
// What depends on the order of rows (floating-point sums, first, collect_list) follows the order in
// which they are given, so that a replay gives the same bits. Accumulators of variable size are
// bytes in a BINARY column; they may come from a checkpoint, so who decodes them verifies them.
class AggregateKernel {
 public:
  explicit AggregateKernel(BoundAggregate signature) : signature_(std::move(signature)) {}
  virtual ~AggregateKernel() = default;

  // Adds argument rows. `columns` is the first of the function's state columns, of which there are
  // signature().state_types.size() in a row. Errors: ARITHMETIC_OVERFLOW and the like
  // (kJobFailed, at the call's span), CHECKPOINT_CORRUPT, STATE_VALUE_TOO_LARGE.
  virtual arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                               int64_t end, const uint32_t* target,
                               state::StateColumn* columns) const = 0;
  // Adds accumulators that partial aggregation made.
  virtual arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                              int64_t end, const uint32_t* target,
                              state::StateColumn* columns) const = 0;
  // Results out of exported accumulators. Errors: CHECKPOINT_CORRUPT.
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const = 0;

  const BoundAggregate& signature() const { return signature_; }

 private:
  const BoundAggregate signature_;
};

// Errors: kBug PLAN_INVALID for a signature that ResolveAggregateCall does not give.
arrow::Result<std::shared_ptr<const AggregateKernel>> MakeAggregateKernel(
    const BoundAggregate& signature);

}  // namespace tidemill::worker
