// bit_and, bit_or, bit_xor. The accumulator is itself a value, so merging is updating.
#include <arrow/array.h>
#include <arrow/type.h>

#include <functional>

#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// NULL until a value was seen.
template <class ArrayType, class Operation>
class BitKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;
  using Value = typename ArrayType::value_type;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const Value* values = static_cast<const ArrayType&>(*args[0]).raw_values();
    const bool has_nulls = args[0]->null_count() > 0;
    auto* bits = columns[0].values<Value>();
    uint8_t* validity = columns[0].validity();
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && args[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      bits[row] =
          validity[row] == 0 ? values[i] : static_cast<Value>(Operation()(bits[row], values[i]));
      validity[row] = 1;
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
};

template <class ArrayType>
std::shared_ptr<const AggregateKernel> MakeFor(const BoundAggregate& signature) {
  if (signature.name == "bit_and")
    return std::make_shared<BitKernel<ArrayType, std::bit_and<>>>(signature);
  if (signature.name == "bit_or")
    return std::make_shared<BitKernel<ArrayType, std::bit_or<>>>(signature);
  return std::make_shared<BitKernel<ArrayType, std::bit_xor<>>>(signature);
}

}  // namespace

std::shared_ptr<const AggregateKernel> MakeBitKernel(const BoundAggregate& signature) {
  switch (signature.type->id()) {
    case arrow::Type::INT8:
      return MakeFor<arrow::Int8Array>(signature);
    case arrow::Type::INT16:
      return MakeFor<arrow::Int16Array>(signature);
    case arrow::Type::INT32:
      return MakeFor<arrow::Int32Array>(signature);
    case arrow::Type::INT64:
      return MakeFor<arrow::Int64Array>(signature);
    default:
      return nullptr;
  }
}

}  // namespace tidemill::worker::internal
