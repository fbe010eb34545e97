#include "worker/aggregates/aggregate_kernel.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

namespace tidemill::worker {

namespace {

// count(x): rows whose arguments are all not NULL; count(*) has a literal as its argument.
class CountKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    auto* counts = columns[0].values<int64_t>();
    uint8_t* validity = columns[0].validity();
    bool has_nulls = false;
    for (const auto& arg : args) has_nulls |= arg->null_count() > 0;
    if (!has_nulls) {
      for (int64_t i = 0; i < end - begin; ++i) {
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

  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const int64_t* added = static_cast<const arrow::Int64Array&>(*partial[0]).raw_values();
    auto* counts = columns[0].values<int64_t>();
    uint8_t* validity = columns[0].validity();
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t row = target[i - begin];
      validity[row] = 1;
      counts[row] += added[i];
    }
    return arrow::Status::OK();
  }

  // A group without any row (a global aggregate over nothing) counts 0.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    if (state[0]->null_count() == 0) return state[0];
    const auto& counts = static_cast<const arrow::Int64Array&>(*state[0]);
    arrow::Int64Builder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(counts.length()));
    for (int64_t i = 0; i < counts.length(); ++i)
      builder.UnsafeAppend(counts.IsValid(i) ? counts.Value(i) : 0);
    return builder.Finish();
  }
};

}  // namespace

arrow::Result<std::shared_ptr<const AggregateKernel>> MakeAggregateKernel(
    const AggregateSignature& signature) {
  std::shared_ptr<const AggregateKernel> kernel;
  if (signature.name == "count") {
    kernel = std::make_shared<CountKernel>(signature);
  } else if (signature.name == "sum") {
    kernel = internal::MakeSumKernel(signature);
  } else if (signature.name == "avg") {
    kernel = internal::MakeAverageKernel(signature);
  } else if (signature.name == "min" || signature.name == "max") {
    kernel = internal::MakeMinMaxKernel(signature);
  }
  if (kernel != nullptr) return kernel;
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("no aggregate kernel: function={} type={}", signature.name,
                               signature.type->ToString()));
}

}  // namespace tidemill::worker
