// sum and avg with their try_ forms, product.
#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/types/interval/interval.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

arrow::Status Overflow(const BoundAggregate& signature, std::string_view what) {
  return WithSpan(ArithmeticOverflow(fmt::format("{} overflow", what), "try_sum"), signature.span);
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

// Adds the values of an array to the sums. `overflowed`, of try_sum and try_avg, takes the groups
// whose sum left its range and is NULL for good; without it that is an error.
template <class Traits>
arrow::Status AddUp(const BoundAggregate& signature, const arrow::Array& array, int64_t begin,
                    int64_t end, const uint32_t* target, state::StateColumn* column,
                    state::StateColumn* overflowed) {
  auto* sums = column->values<typename Traits::Value>();
  uint8_t* validity = column->validity();
  const bool has_nulls = array.null_count() > 0;
  for (int64_t i = begin; i < end; ++i) {
    if (has_nulls && array.IsNull(i)) continue;
    const uint32_t row = target[i - begin];
    validity[row] = 1;
    if (Traits::Add(&sums[row], Traits::Read(array, i))) continue;
    if (overflowed == nullptr) return Overflow(signature, Traits::kName);
    sums[row] = {};
    overflowed->values<uint8_t>()[row] = 1;
    overflowed->validity()[row] = 1;
  }
  return arrow::Status::OK();
}

void AddFlags(const arrow::Array& array, int64_t begin, int64_t end, const uint32_t* target,
              state::StateColumn* overflowed) {
  const auto& flags = static_cast<const arrow::BooleanArray&>(array);
  for (int64_t i = begin; i < end; ++i) {
    if (flags.IsNull(i) || !flags.Value(i)) continue;
    overflowed->values<uint8_t>()[target[i - begin]] = 1;
    overflowed->validity()[target[i - begin]] = 1;
  }
}

// sum(x), try_sum(x): NULL until a value was seen.
template <class Traits>
class SumKernel final : public AggregateKernel {
 public:
  explicit SumKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_try_(signature.state_types.size() == 2) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    return AddUp<Traits>(signature(), *args[0], begin, end, target, columns,
                         is_try_ ? columns + 1 : nullptr);
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    if (is_try_) AddFlags(*partial[1], begin, end, target, columns + 1);
    return Update(partial, begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    if (!is_try_ || state[1]->null_count() == state[1]->length()) return state[0];
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, state[0]->type(), &builder));
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      if (state[1]->IsValid(i)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*state[0]->data(), i, 1));
      }
    }
    return builder->Finish();
  }

 private:
  const bool is_try_;
};

// avg(x), try_avg(x): a sum and the number of its values.
template <class Traits>
class AverageKernel final : public AggregateKernel {
 public:
  explicit AverageKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_try_(signature.state_types.size() == 3) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ARROW_RETURN_NOT_OK(AddSums(*args[0], begin, end, target, columns));
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
    if (is_try_) AddFlags(*partial[2], begin, end, target, columns + 2);
    ARROW_RETURN_NOT_OK(AddSums(*partial[0], begin, end, target, columns));
    return AddUp<BigintTraits>(signature(), *partial[1], begin, end, target, columns + 1, nullptr);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const override;

 private:
  arrow::Status AddSums(const arrow::Array& values, int64_t begin, int64_t end,
                        const uint32_t* target, state::StateColumn* columns) const {
    return AddUp<Traits>(signature(), values, begin, end, target, columns,
                         is_try_ ? columns + 2 : nullptr);
  }

  const bool is_try_;
};

// Half up, as Spark's decimal division.
template <class Decimal>
arrow::Result<Decimal> Divide(const Decimal& sum, int64_t count) {
  ARROW_ASSIGN_OR_RAISE(auto parts, sum.Divide(Decimal(count)));
  const Decimal twice_rest(Decimal::Abs(parts.second) * Decimal(2));
  if (twice_rest >= Decimal(count)) parts.first += Decimal(sum.Sign());
  return parts.first;
}

// The average of `count` values, or nullopt where it does not fit `to`. The sum at the scale of
// `to` may have more digits than 128 bits hold.
arrow::Result<std::optional<arrow::Decimal128>> Average(const arrow::Decimal128& sum, int32_t from,
                                                        int64_t count,
                                                        const arrow::Decimal128Type& to) {
  if (const auto scaled = sum.Rescale(from, to.scale()); scaled.ok()) {
    ARROW_ASSIGN_OR_RAISE(const arrow::Decimal128 average, Divide(*scaled, count));
    if (!average.FitsInPrecision(to.precision())) return std::nullopt;
    return average;
  }
  ARROW_ASSIGN_OR_RAISE(const auto scaled, arrow::Decimal256(sum).Rescale(from, to.scale()));
  ARROW_ASSIGN_OR_RAISE(const arrow::Decimal256 average, Divide(scaled, count));
  if (!average.FitsInPrecision(to.precision())) return std::nullopt;
  const auto words = average.little_endian_array();
  return arrow::Decimal128(static_cast<int64_t>(words[1]), words[0]);
}

template <class Traits>
arrow::Result<std::shared_ptr<arrow::Array>> AverageKernel<Traits>::Finish(
    std::span<const std::shared_ptr<arrow::Array>> state, arrow::MemoryPool* pool) const {
  const auto& counts = static_cast<const arrow::Int64Array&>(*state[1]);
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
  ARROW_RETURN_NOT_OK(builder->Reserve(counts.length()));
  for (int64_t i = 0; i < counts.length(); ++i) {
    const bool has_overflowed = is_try_ && state[2]->IsValid(i);
    if (state[0]->IsNull(i) || counts.Value(i) == 0 || has_overflowed) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    } else if constexpr (std::is_same_v<Traits, DecimalTraits>) {
      const int32_t from = static_cast<const arrow::Decimal128Type&>(*state[0]->type()).scale();
      const auto& to = static_cast<const arrow::Decimal128Type&>(*signature().type);
      ARROW_ASSIGN_OR_RAISE(const auto average,
                            Average(DecimalTraits::Read(*state[0], i), from, counts.Value(i), to));
      if (average) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::Decimal128Builder&>(*builder).Append(*average));
      } else if (is_try_) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else {
        return Overflow(signature(), Traits::kName);
      }
    } else {
      const double average =
          static_cast<double>(Traits::Read(*state[0], i)) / static_cast<double>(counts.Value(i));
      ARROW_RETURN_NOT_OK(static_cast<arrow::DoubleBuilder&>(*builder).Append(average));
    }
  }
  return builder->Finish();
}

// The values, NULL where `other` is.
arrow::Result<std::shared_ptr<arrow::Array>> MaskedBy(const std::shared_ptr<arrow::Array>& values,
                                                      const arrow::Array& other) {
  if (other.null_count() == 0) return values;
  auto data = values->data()->Copy();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                        arrow::AllocateEmptyBitmap(data->offset + data->length));
  for (int64_t i = 0; i < data->length; ++i) {
    if (values->IsValid(i) && other.IsValid(i)) {
      arrow::bit_util::SetBit(validity->mutable_data(), data->offset + i);
    }
  }
  data->buffers[0] = std::move(validity);
  data->null_count = arrow::kUnknownNullCount;
  return arrow::MakeArray(std::move(data));
}

// regr_avgx(y, x), regr_avgy(y, x): averages over the rows in which neither is NULL.
class PairAverageKernel final : public AggregateKernel {
 public:
  PairAverageKernel(const BoundAggregate& signature, std::shared_ptr<const AggregateKernel> average)
      : AggregateKernel(signature),
        averaged_(signature.name == "regr_avgx" ? 1 : 0),
        average_(std::move(average)) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    ARROW_ASSIGN_OR_RAISE(const auto values, MaskedBy(args[averaged_], *args[1 - averaged_]));
    return average_->Update(std::span(&values, 1), begin, end, target, columns);
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return average_->Merge(partial, begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return average_->Finish(state, pool);
  }

 private:
  const size_t averaged_;
  const std::shared_ptr<const AggregateKernel> average_;
};

// product(x): NULL until a value was seen. The accumulator is a value, so merging is updating.
class ProductKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const auto& values = static_cast<const arrow::DoubleArray&>(*args[0]);
    auto* products = columns[0].values<double>();
    uint8_t* validity = columns[0].validity();
    for (int64_t i = begin; i < end; ++i) {
      if (values.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      products[row] = (validity[row] == 0 ? 1.0 : products[row]) * values.Value(i);
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

template <template <class> class Kernel>
std::shared_ptr<const AggregateKernel> MakeFor(const BoundAggregate& signature) {
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

std::shared_ptr<const AggregateKernel> MakeSumKernel(const BoundAggregate& signature) {
  if (IsIntervalType(*signature.input_types[0])) return MakeIntervalSumKernel(signature);
  return MakeFor<SumKernel>(signature);
}

std::shared_ptr<const AggregateKernel> MakeAverageKernel(const BoundAggregate& signature) {
  if (IsIntervalType(*signature.input_types[0])) return MakeIntervalSumKernel(signature);
  return MakeFor<AverageKernel>(signature);
}

std::shared_ptr<const AggregateKernel> MakePairAverageKernel(const BoundAggregate& signature) {
  auto average = MakeAverageKernel(signature);
  if (average == nullptr) return nullptr;
  return std::make_shared<PairAverageKernel>(signature, std::move(average));
}

std::shared_ptr<const AggregateKernel> MakeProductKernel(const BoundAggregate& signature) {
  return std::make_shared<ProductKernel>(signature);
}

}  // namespace tidemill::worker::internal
