// Variance, standard deviation, skewness, kurtosis: central moments in one pass, by the formulas
// that Spark uses, so that rows added in the same order give the same bits.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// The number of values, their mean, and sums of powers of the distances from it: up to the 2nd,
// 3rd or 4th.
struct Moments {
  double n = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
};

template <int kOrder>
void AddValue(double value, Moments* moments) {
  moments->n += 1;
  const double delta = value - moments->mean;
  const double delta_n = delta / moments->n;
  moments->mean += delta_n;
  moments->m2 += delta * (delta - delta_n);
  if constexpr (kOrder >= 3) {
    const double delta2 = delta * delta;
    const double delta_n2 = delta_n * delta_n;
    moments->m3 = moments->m3 - 3.0 * delta_n * moments->m2 + delta * (delta2 - delta_n2);
    if constexpr (kOrder >= 4) {
      moments->m4 = moments->m4 - 4.0 * delta_n * moments->m3 - 6.0 * delta_n2 * moments->m2 +
                    delta * (delta * delta2 - delta_n * delta_n2);
    }
  }
}

template <int kOrder>
void AddMoments(const Moments& added, Moments* moments) {
  const double n1 = moments->n;
  const double n2 = added.n;
  const double n = n1 + n2;
  const double delta = added.mean - moments->mean;
  const double delta_n = n == 0 ? 0 : delta / n;
  const Moments old = *moments;
  moments->n = n;
  moments->mean = old.mean + delta_n * n2;
  moments->m2 = old.m2 + added.m2 + delta * delta_n * n1 * n2;
  if constexpr (kOrder >= 3) {
    moments->m3 = old.m3 + added.m3 + delta_n * delta_n * delta * n1 * n2 * (n1 - n2) +
                  3.0 * delta_n * (n1 * added.m2 - n2 * old.m2);
  }
  if constexpr (kOrder >= 4) {
    moments->m4 = old.m4 + added.m4 +
                  delta_n * delta_n * delta_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) +
                  delta_n * delta_n * 6.0 * (n1 * n1 * added.m2 + n2 * n2 * old.m2) +
                  4.0 * delta_n * (n1 * added.m3 - n2 * old.m3);
  }
}

using Result = std::optional<double> (*)(const Moments& moments);

std::optional<double> SampleVariance(const Moments& moments) {
  if (moments.n < 2) return std::nullopt;
  return moments.m2 / (moments.n - 1);
}
std::optional<double> SampleDeviation(const Moments& moments) {
  if (moments.n < 2) return std::nullopt;
  return std::sqrt(moments.m2 / (moments.n - 1));
}
std::optional<double> Variance(const Moments& moments) { return moments.m2 / moments.n; }
std::optional<double> Deviation(const Moments& moments) {
  return std::sqrt(moments.m2 / moments.n);
}
std::optional<double> Skewness(const Moments& moments) {
  if (moments.m2 == 0) return std::nullopt;
  return std::sqrt(moments.n) * moments.m3 / std::sqrt(moments.m2 * moments.m2 * moments.m2);
}
std::optional<double> Kurtosis(const Moments& moments) {
  if (moments.m2 == 0) return std::nullopt;
  return moments.n * moments.m4 / (moments.m2 * moments.m2) - 3.0;
}

// Reads and writes the accumulator where it stands.
template <int kOrder>
struct MomentColumns {
  explicit MomentColumns(state::StateColumn* columns) {
    for (int i = 0; i <= kOrder; ++i) {
      values[i] = columns[i].values<double>();
      validity[i] = columns[i].validity();
    }
  }
  Moments Read(uint32_t row) const {
    Moments moments{values[0][row], values[1][row], values[2][row]};
    if constexpr (kOrder >= 3) moments.m3 = values[3][row];
    if constexpr (kOrder >= 4) moments.m4 = values[4][row];
    return moments;
  }
  void Write(const Moments& moments, uint32_t row) const {
    for (uint8_t* column : validity) column[row] = 1;
    values[0][row] = moments.n;
    values[1][row] = moments.mean;
    values[2][row] = moments.m2;
    if constexpr (kOrder >= 3) values[3][row] = moments.m3;
    if constexpr (kOrder >= 4) values[4][row] = moments.m4;
  }

  std::array<double*, kOrder + 1> values;
  std::array<uint8_t*, kOrder + 1> validity;
};

template <int kOrder>
Moments ReadArrays(std::span<const std::shared_ptr<arrow::Array>> state, int64_t i) {
  auto value = [&](int column) {
    return static_cast<const arrow::DoubleArray&>(*state[column]).Value(i);
  };
  Moments moments{value(0), value(1), value(2)};
  if constexpr (kOrder >= 3) moments.m3 = value(3);
  if constexpr (kOrder >= 4) moments.m4 = value(4);
  return moments;
}

// NULL until a value was seen.
template <int kOrder>
class MomentKernel final : public AggregateKernel {
 public:
  MomentKernel(const BoundAggregate& signature, Result result)
      : AggregateKernel(signature), result_(result) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const double* values = static_cast<const arrow::DoubleArray&>(*args[0]).raw_values();
    const bool has_nulls = args[0]->null_count() > 0;
    const MomentColumns<kOrder> accumulators(columns);
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && args[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      Moments moments = accumulators.Read(row);
      AddValue<kOrder>(values[i], &moments);
      accumulators.Write(moments, row);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const MomentColumns<kOrder> accumulators(columns);
    for (int64_t i = begin; i < end; ++i) {
      if (partial[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      Moments moments = accumulators.Read(row);
      AddMoments<kOrder>(ReadArrays<kOrder>(partial, i), &moments);
      accumulators.Write(moments, row);
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    arrow::DoubleBuilder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(state[0]->length()));
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      std::optional<double> value;
      if (state[0]->IsValid(i)) value = result_(ReadArrays<kOrder>(state, i));
      if (value) {
        builder.UnsafeAppend(*value);
      } else {
        builder.UnsafeAppendNull();
      }
    }
    return builder.Finish();
  }

 private:
  const Result result_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeMomentKernel(const BoundAggregate& signature) {
  const std::string_view name = signature.name;
  if (name == "skewness") return std::make_shared<MomentKernel<3>>(signature, Skewness);
  if (name == "kurtosis") return std::make_shared<MomentKernel<4>>(signature, Kurtosis);
  Result result = SampleDeviation;
  if (name == "stddev_pop") result = Deviation;
  if (name == "var_pop") result = Variance;
  if (name == "var_samp") result = SampleVariance;
  return std::make_shared<MomentKernel<2>>(signature, result);
}

}  // namespace tidemill::worker::internal
