// count and its relatives: rows that are counted.
#include <arrow/array.h>
#include <arrow/type.h>

#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// Partial counts add up; a group without any row (a global aggregate over nothing) counts 0.
class CountBase : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const final {
    const int64_t* added = static_cast<const arrow::Int64Array&>(*partial[0]).raw_values();
    auto* counts = columns[0].values<int64_t>();
    uint8_t* validity = columns[0].validity();
    const bool has_nulls = partial[0]->null_count() > 0;
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t row = target[i - begin];
      validity[row] = 1;
      if (has_nulls && partial[0]->IsNull(i)) continue;
      counts[row] += added[i];
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const final {
    if (state[0]->null_count() == 0) return state[0];
    const auto& counts = static_cast<const arrow::Int64Array&>(*state[0]);
    arrow::Int64Builder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(counts.length()));
    for (int64_t i = 0; i < counts.length(); ++i)
      builder.UnsafeAppend(counts.IsValid(i) ? counts.Value(i) : 0);
    return builder.Finish();
  }
};

// count(x, ...): rows whose arguments are all not NULL; of count(*) and count(1) there are none.
class CountKernel final : public CountBase {
 public:
  using CountBase::CountBase;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    auto* counts = columns[0].values<int64_t>();
    uint8_t* validity = columns[0].validity();
    bool has_nulls = false;
    for (const auto& arg : args) has_nulls |= arg->null_count() > 0;
    if (!has_nulls) {
      constexpr int64_t kAhead = 16;
      for (int64_t i = 0; i < end - begin; ++i) {
        if (i + kAhead < end - begin) __builtin_prefetch(counts + target[i + kAhead]);
        validity[target[i]] = 1;
        ++counts[target[i]];
      }
      return arrow::Status::OK();
    }
    for (int64_t i = 0; i < end - begin; ++i) {
      bool is_counted = true;
      for (const auto& arg : args) is_counted &= arg->IsValid(begin + i);
      validity[target[i]] = 1;
      counts[target[i]] += is_counted;
    }
    return arrow::Status::OK();
  }
};

class CountIfKernel final : public CountBase {
 public:
  using CountBase::CountBase;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const auto& conditions = static_cast<const arrow::BooleanArray&>(*args[0]);
    const bool has_nulls = conditions.null_count() > 0;
    auto* counts = columns[0].values<int64_t>();
    uint8_t* validity = columns[0].validity();
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t row = target[i - begin];
      validity[row] = 1;
      counts[row] += conditions.Value(i) && !(has_nulls && conditions.IsNull(i)) ? 1 : 0;
    }
    return arrow::Status::OK();
  }
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeCountKernel(const BoundAggregate& signature) {
  if (signature.name == "count_if") return std::make_shared<CountIfKernel>(signature);
  return std::make_shared<CountKernel>(signature);
}

}  // namespace tidemill::worker::internal
