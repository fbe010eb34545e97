// first, last, any_value, max_by, min_by: accumulators that are the value of one of the rows, of
// any type. Rows come in (chunk, lane, ordinal) order, so a replay chooses the same row.
#include <arrow/array.h>
#include <arrow/type.h>

#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/value_cells.h"

namespace tidemill::worker::internal {

namespace {

// The accumulator: a value, and true once there is one (which may be NULL).
class PositionKernel final : public AggregateKernel {
 public:
  explicit PositionKernel(const BoundAggregate& signature)
      : AggregateKernel(signature),
        is_last_(signature.name == "last"),
        ignores_nulls_(signature.constants.ignore_nulls) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ValueCells values(*args[0]);
    auto* is_set = columns[1].values<uint8_t>();
    uint8_t* validity = columns[1].validity();
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t row = target[i - begin];
      validity[row] = 1;
      if (is_set[row] != 0 && !is_last_) continue;
      if (ignores_nulls_ && values.IsNull(i)) continue;
      values.Store(i, row, &columns[0]);
      is_set[row] = 1;
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    ValueCells values(*partial[0]);
    const auto& are_set = static_cast<const arrow::BooleanArray&>(*partial[1]);
    auto* is_set = columns[1].values<uint8_t>();
    uint8_t* validity = columns[1].validity();
    for (int64_t i = begin; i < end; ++i) {
      if (are_set.IsNull(i) || !are_set.Value(i)) continue;
      const uint32_t row = target[i - begin];
      if (is_set[row] != 0 && !is_last_) continue;
      values.Store(i, row, &columns[0]);
      is_set[row] = 1;
      validity[row] = 1;
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return state[0];
  }

 private:
  const bool is_last_;
  const bool ignores_nulls_;
};

// The accumulator: a value and the key it came with, which is NULL until a row with a key was seen.
// Of rows with equal keys the last one counts, so merging is updating.
class ByKeyKernel final : public AggregateKernel {
 public:
  explicit ByKeyKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_max_(signature.name == "max_by") {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ValueCells values(*args[0]);
    ValueCells keys(*args[1]);
    for (int64_t i = begin; i < end; ++i) {
      if (keys.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      if (columns[1].validity()[row] != 0) {
        ARROW_ASSIGN_OR_RAISE(const int order, keys.Compare(i, row, columns[1]));
        if (is_max_ ? order < 0 : order > 0) continue;
      }
      values.Store(i, row, &columns[0]);
      keys.Store(i, row, &columns[1]);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return Update(partial, begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return state[0];
  }

 private:
  const bool is_max_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakePositionKernel(const BoundAggregate& signature) {
  return std::make_shared<PositionKernel>(signature);
}

std::shared_ptr<const AggregateKernel> MakeByKeyKernel(const BoundAggregate& signature) {
  if (signature.constants.size > 0) return MakeTopByKeyKernel(signature);
  return std::make_shared<ByKeyKernel>(signature);
}

}  // namespace tidemill::worker::internal
