#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <string_view>
#include <type_traits>

#include "worker/aggregates/aggregate_kernel.h"

namespace tidemill::worker::internal {

namespace {

// Spark's order of floats: NaN equals itself and is above everything.
template <class Value>
bool IsLess(const Value& a, const Value& b) {
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(a)) return false;
    if (std::isnan(b)) return true;
  }
  return a < b;
}

template <class ArrayType>
struct FixedAccess {
  using Value = std::decay_t<decltype(std::declval<ArrayType>().Value(0))>;
  // BOOLEAN takes one byte in state.
  using Stored = std::conditional_t<std::is_same_v<Value, bool>, uint8_t, Value>;

  static Stored Read(const arrow::Array& array, int64_t i) {
    return static_cast<const ArrayType&>(array).Value(i);
  }
  static Stored Get(const state::StateColumn& column, uint32_t row) {
    return column.values<Stored>()[row];
  }
  static void Set(state::StateColumn* column, uint32_t row, Stored value) {
    column->values<Stored>()[row] = value;
    column->validity()[row] = 1;
  }
};

struct DecimalAccess {
  static arrow::Decimal128 Read(const arrow::Array& array, int64_t i) {
    return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).Value(i));
  }
  static arrow::Decimal128 Get(const state::StateColumn& column, uint32_t row) {
    return column.values<arrow::Decimal128>()[row];
  }
  static void Set(state::StateColumn* column, uint32_t row, const arrow::Decimal128& value) {
    column->values<arrow::Decimal128>()[row] = value;
    column->validity()[row] = 1;
  }
};

struct BytesAccess {
  static std::string_view Read(const arrow::Array& array, int64_t i) {
    return static_cast<const arrow::BinaryArray&>(array).GetView(i);
  }
  static std::string_view Get(const state::StateColumn& column, uint32_t row) {
    return column.GetBytes(row);
  }
  static void Set(state::StateColumn* column, uint32_t row, std::string_view value) {
    column->SetBytes(row, value);
  }
};

// min(x) and max(x): NULL until a value was seen. The accumulator is itself a value, so merging is
// updating.
template <class Access, bool kIsMin>
class MinMaxKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const arrow::Array& array = *args[0];
    const bool has_nulls = array.null_count() > 0;
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && array.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      const auto value = Access::Read(array, i);
      if (columns[0].validity()[row] != 0) {
        const auto best = Access::Get(columns[0], row);
        if (!(kIsMin ? IsLess(value, best) : IsLess(best, value))) continue;
      }
      Access::Set(&columns[0], row, value);
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

template <class Access>
std::shared_ptr<const AggregateKernel> MakeFor(const AggregateSignature& signature) {
  if (signature.name == "min") return std::make_shared<MinMaxKernel<Access, true>>(signature);
  return std::make_shared<MinMaxKernel<Access, false>>(signature);
}

}  // namespace

std::shared_ptr<const AggregateKernel> MakeMinMaxKernel(const AggregateSignature& signature) {
  switch (signature.type->id()) {
    case arrow::Type::BOOL:
      return MakeFor<FixedAccess<arrow::BooleanArray>>(signature);
    case arrow::Type::INT8:
      return MakeFor<FixedAccess<arrow::Int8Array>>(signature);
    case arrow::Type::INT16:
      return MakeFor<FixedAccess<arrow::Int16Array>>(signature);
    case arrow::Type::INT32:
      return MakeFor<FixedAccess<arrow::Int32Array>>(signature);
    case arrow::Type::INT64:
      return MakeFor<FixedAccess<arrow::Int64Array>>(signature);
    case arrow::Type::FLOAT:
      return MakeFor<FixedAccess<arrow::FloatArray>>(signature);
    case arrow::Type::DOUBLE:
      return MakeFor<FixedAccess<arrow::DoubleArray>>(signature);
    case arrow::Type::DATE32:
      return MakeFor<FixedAccess<arrow::Date32Array>>(signature);
    case arrow::Type::TIMESTAMP:
      return MakeFor<FixedAccess<arrow::TimestampArray>>(signature);
    case arrow::Type::DECIMAL128:
      return MakeFor<DecimalAccess>(signature);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return MakeFor<BytesAccess>(signature);
    default:
      return nullptr;
  }
}

}  // namespace tidemill::worker::internal
