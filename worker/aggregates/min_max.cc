// min, max, bool_and, bool_or.
#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <string_view>
#include <type_traits>

#include "worker/aggregates/encoded_order.h"
#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/value_cells.h"

namespace tidemill::worker::internal {

namespace {

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
        if (!(kIsMin ? CompareValues(value, best) < 0 : CompareValues(best, value) < 0)) continue;
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

// The same over structs and arrays, whose accumulator is the encoded value.
class NestedMinMaxKernel final : public AggregateKernel {
 public:
  explicit NestedMinMaxKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_min_(signature.name == "min") {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ValueCells values(*args[0]);
    for (int64_t i = begin; i < end; ++i) {
      if (values.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      if (columns[0].validity()[row] != 0) {
        ARROW_ASSIGN_OR_RAISE(const int order, values.Compare(i, row, columns[0]));
        if (is_min_ ? order >= 0 : order <= 0) continue;
      }
      values.Store(i, row, &columns[0]);
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
  const bool is_min_;
};

template <class Access>
std::shared_ptr<const AggregateKernel> MakeFor(const BoundAggregate& signature) {
  const bool is_min = signature.name == "min" || signature.name == "bool_and";
  if (is_min) return std::make_shared<MinMaxKernel<Access, true>>(signature);
  return std::make_shared<MinMaxKernel<Access, false>>(signature);
}

}  // namespace

std::shared_ptr<const AggregateKernel> MakeMinMaxKernel(const BoundAggregate& signature) {
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
    case arrow::Type::NA:
    case arrow::Type::LIST:
    case arrow::Type::STRUCT:
      return std::make_shared<NestedMinMaxKernel>(signature);
    default:
      return nullptr;
  }
}

}  // namespace tidemill::worker::internal
