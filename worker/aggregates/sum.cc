#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <utility>

#include "worker/aggregates/aggregate_kernel.h"

namespace tidemill::worker::internal {

namespace {

arrow::Status Overflow(std::string_view what) {
  return MakeError(
      ErrorKind::kJobFailed, "ARITHMETIC_OVERFLOW",
      fmt::format("{} overflow. Use 'try_sum' to tolerate overflow and return NULL instead.",
                  what));
}

// How one sum type is read from an array and added up.
struct BigintTraits {
  using Value = int64_t;
  static Value Read(const arrow::Array& array, int64_t i) {
    return static_cast<const arrow::Int64Array&>(array).Value(i);
  }
  static bool Add(Value* sum, Value value) { return !__builtin_add_overflow(*sum, value, sum); }
  static constexpr std::string_view kName = "long";
};

struct DoubleTraits {
  using Value = double;
  static Value Read(const arrow::Array& array, int64_t i) {
    return static_cast<const arrow::DoubleArray&>(array).Value(i);
  }
  static bool Add(Value* sum, Value value) {
    *sum += value;
    return true;
  }
  static constexpr std::string_view kName = "double";
};

struct DecimalTraits {
  using Value = arrow::Decimal128;
  static Value Read(const arrow::Array& array, int64_t i) {
    return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).Value(i));
  }
  // Sums have at least ten digits more than values: 38 digits are the limit.
  static bool Add(Value* sum, Value value) {
    *sum += value;
    return sum->FitsInPrecision(38);
  }
  static constexpr std::string_view kName = "decimal";
};

template <class Traits>
arrow::Status AddUp(const arrow::Array& array, int64_t begin, int64_t end, const uint32_t* target,
                    state::StateColumn* column) {
  auto* sums = column->values<typename Traits::Value>();
  uint8_t* validity = column->validity();
  const bool has_nulls = array.null_count() > 0;
  for (int64_t i = begin; i < end; ++i) {
    if (has_nulls && array.IsNull(i)) continue;
    const uint32_t row = target[i - begin];
    validity[row] = 1;
    if (!Traits::Add(&sums[row], Traits::Read(array, i))) return Overflow(Traits::kName);
  }
  return arrow::Status::OK();
}

// sum(x): NULL until a value was seen.
template <class Traits>
class SumKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    return AddUp<Traits>(*args[0], begin, end, target, columns);
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return AddUp<Traits>(*partial[0], begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return state[0];
  }
};

// avg(x): a sum and the number of its values.
template <class Traits>
class AverageKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ARROW_RETURN_NOT_OK(AddUp<Traits>(*args[0], begin, end, target, columns));
    auto* counts = columns[1].values<int64_t>();
    uint8_t* validity = columns[1].validity();
    for (int64_t i = begin; i < end; ++i) {
      validity[target[i - begin]] = 1;
      counts[target[i - begin]] += args[0]->IsValid(i);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    ARROW_RETURN_NOT_OK(AddUp<Traits>(*partial[0], begin, end, target, columns));
    return AddUp<BigintTraits>(*partial[1], begin, end, target, columns + 1);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const override;
};

// Half up, as Spark's decimal division.
arrow::Result<arrow::Decimal128> Divide(const arrow::Decimal128& sum, int64_t count) {
  ARROW_ASSIGN_OR_RAISE(auto parts, sum.Divide(arrow::Decimal128(count)));
  arrow::Decimal128 twice_rest = arrow::Decimal128::Abs(parts.second) * arrow::Decimal128(2);
  if (twice_rest >= arrow::Decimal128(count)) parts.first += arrow::Decimal128(sum.Sign());
  return parts.first;
}

template <class Traits>
arrow::Result<std::shared_ptr<arrow::Array>> AverageKernel<Traits>::Finish(
    std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const {
  const auto& counts = static_cast<const arrow::Int64Array&>(*state[1]);
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
  ARROW_RETURN_NOT_OK(builder->Reserve(counts.length()));
  for (int64_t i = 0; i < counts.length(); ++i) {
    if (state[0]->IsNull(i) || counts.Value(i) == 0) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    } else if constexpr (std::is_same_v<Traits, DecimalTraits>) {
      const int32_t from = static_cast<const arrow::Decimal128Type&>(*state[0]->type()).scale();
      const auto& to = static_cast<const arrow::Decimal128Type&>(*signature().type);
      ARROW_ASSIGN_OR_RAISE(auto scaled,
                            DecimalTraits::Read(*state[0], i).Rescale(from, to.scale()));
      ARROW_ASSIGN_OR_RAISE(auto average, Divide(scaled, counts.Value(i)));
      if (!average.FitsInPrecision(to.precision())) return Overflow(Traits::kName);
      ARROW_RETURN_NOT_OK(static_cast<arrow::Decimal128Builder&>(*builder).Append(average));
    } else {
      const double average =
          static_cast<double>(Traits::Read(*state[0], i)) / static_cast<double>(counts.Value(i));
      ARROW_RETURN_NOT_OK(static_cast<arrow::DoubleBuilder&>(*builder).Append(average));
    }
  }
  return builder->Finish();
}

template <template <class> class Kernel>
std::shared_ptr<const AggregateKernel> MakeFor(const AggregateSignature& signature) {
  switch (signature.state_types[0]->id()) {
    case arrow::Type::INT64:
      return std::make_shared<Kernel<BigintTraits>>(signature);
    case arrow::Type::DOUBLE:
      return std::make_shared<Kernel<DoubleTraits>>(signature);
    case arrow::Type::DECIMAL128:
      return std::make_shared<Kernel<DecimalTraits>>(signature);
    default:
      return nullptr;
  }
}

}  // namespace

std::shared_ptr<const AggregateKernel> MakeSumKernel(const AggregateSignature& signature) {
  return MakeFor<SumKernel>(signature);
}

std::shared_ptr<const AggregateKernel> MakeAverageKernel(const AggregateSignature& signature) {
  return MakeFor<AverageKernel>(signature);
}

}  // namespace tidemill::worker::internal
