// sum and avg of intervals, and their try_ forms. The accumulator counts in the unit of the values.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "common/functions/ansi_errors.h"
#include "common/types/interval/interval.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

int64_t ValueOf(const arrow::Array& array, int64_t row) {
  if (array.type_id() == arrow::Type::INTERVAL_MONTHS) {
    return static_cast<const arrow::MonthIntervalArray&>(array).Value(row);
  }
  return static_cast<const arrow::DurationArray&>(array).Value(row);
}

// Columns: the sum and the number of values; for the try_ forms whether the sum has overflowed.
class IntervalSumKernel final : public AggregateKernel {
 public:
  explicit IntervalSumKernel(const BoundAggregate& signature)
      : AggregateKernel(signature),
        is_average_(signature.name.ends_with("avg")),
        is_try_(signature.name.starts_with("try_")),
        is_months_(IsYearMonthInterval(*signature.input_types[0])),
        // Whole days count in seconds, their mean in microseconds.
        scale_(is_average_ && IsDayInterval(*signature.input_types[0]) ? 1'000'000 : 1) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(Add(ValueOf(*args[0], i), 1, target[i - begin], columns));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const auto& sums = static_cast<const arrow::Int64Array&>(*partial[0]);
    const auto& counts = static_cast<const arrow::Int64Array&>(*partial[1]);
    for (int64_t i = begin; i < end; ++i) {
      if (is_try_ && partial[2]->IsValid(i)) SetOverflowed(target[i - begin], columns);
      if (sums.IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(Add(sums.Value(i), counts.Value(i), target[i - begin], columns));
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    const auto& sums = static_cast<const arrow::Int64Array&>(*state[0]);
    const auto& counts = static_cast<const arrow::Int64Array&>(*state[1]);
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
    for (int64_t i = 0; i < sums.length(); ++i) {
      if (sums.IsNull(i) || (is_try_ && state[2]->IsValid(i))) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      int64_t value = sums.Value(i);
      if (is_average_) value = Mean(value, counts.IsValid(i) ? counts.Value(i) : 1);
      if (is_months_) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::MonthIntervalBuilder&>(*builder).Append(
            static_cast<int32_t>(value)));
      } else {
        ARROW_RETURN_NOT_OK(static_cast<arrow::DurationBuilder&>(*builder).Append(value));
      }
    }
    return builder->Finish();
  }

 private:
  arrow::Status Add(int64_t value, int64_t count, uint32_t row, state::StateColumn* columns) const {
    int64_t* sum = columns[0].values<int64_t>() + row;
    columns[0].validity()[row] = 1;
    columns[1].validity()[row] = 1;
    columns[1].values<int64_t>()[row] += count;
    const bool is_in_range =
        !__builtin_add_overflow(*sum, value, sum) && (!is_months_ || IsInt(*sum));
    if (is_in_range) return arrow::Status::OK();
    if (!is_try_) {
      return WithSpan(ArithmeticOverflow("interval overflow", "try_sum"), signature().span);
    }
    SetOverflowed(row, columns);
    *sum = 0;
    return arrow::Status::OK();
  }
  static void SetOverflowed(uint32_t row, state::StateColumn* columns) {
    columns[2].values<uint8_t>()[row] = 1;
    columns[2].validity()[row] = 1;
  }
  static bool IsInt(int64_t value) {
    return value >= std::numeric_limits<int32_t>::min() &&
           value <= std::numeric_limits<int32_t>::max();
  }
  // Half away from zero.
  int64_t Mean(int64_t sum, int64_t count) const {
    const __int128 total = static_cast<__int128>(sum) * scale_;
    const __int128 twice = 2 * total + (total < 0 ? -count : count);
    return count < 1 ? 0 : static_cast<int64_t>(twice / (2 * static_cast<__int128>(count)));
  }

  const bool is_average_;
  const bool is_try_;
  const bool is_months_;
  const int64_t scale_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeIntervalSumKernel(const BoundAggregate& signature) {
  return std::make_shared<IntervalSumKernel>(signature);
}

}  // namespace tidemill::worker::internal
