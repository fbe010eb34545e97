// Covariance, correlation and linear regression: sums over pairs of numbers in one pass, by the
// formulas that Spark uses, so that rows added in the same order give the same bits.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// The number of pairs, the means, and sums of products of the distances from them. The covariances
// keep the first four only.
struct PairMoments {
  double n = 0;
  double x_mean = 0;
  double y_mean = 0;
  double xy = 0;
  double xx = 0;
  double yy = 0;
};

void AddPair(double x, double y, PairMoments* moments) {
  moments->n += 1;
  const double dx = x - moments->x_mean;
  const double dy = y - moments->y_mean;
  moments->x_mean += dx / moments->n;
  moments->y_mean += dy / moments->n;
  moments->xy += dx * (y - moments->y_mean);
  moments->xx += dx * (x - moments->x_mean);
  moments->yy += dy * (y - moments->y_mean);
}

void AddMoments(const PairMoments& added, PairMoments* moments) {
  const double n1 = moments->n;
  const double n2 = added.n;
  const double n = n1 + n2;
  const double dx = added.x_mean - moments->x_mean;
  const double dy = added.y_mean - moments->y_mean;
  const double dx_n = n == 0 ? 0 : dx / n;
  const double dy_n = n == 0 ? 0 : dy / n;
  moments->n = n;
  moments->x_mean += dx_n * n2;
  moments->y_mean += dy_n * n2;
  moments->xy = moments->xy + added.xy + dx * dy_n * n1 * n2;
  moments->xx = moments->xx + added.xx + dx * dx_n * n1 * n2;
  moments->yy = moments->yy + added.yy + dy * dy_n * n1 * n2;
}

using Result = std::optional<double> (*)(const PairMoments& moments);

std::optional<double> Covariance(const PairMoments& sums) { return sums.xy / sums.n; }
std::optional<double> SampleCovariance(const PairMoments& sums) {
  if (sums.n < 2) return std::nullopt;
  return sums.xy / (sums.n - 1);
}
std::optional<double> Correlation(const PairMoments& sums) {
  const double spread = std::sqrt(sums.xx * sums.yy);
  if (sums.n < 2 || spread == 0) return std::nullopt;
  return sums.xy / spread;
}

// The regr_ functions take (y, x).
std::optional<double> SquaresOfX(const PairMoments& sums) { return sums.xx; }
std::optional<double> SquaresOfY(const PairMoments& sums) { return sums.yy; }
std::optional<double> Products(const PairMoments& sums) { return sums.xy; }
std::optional<double> Determination(const PairMoments& sums) {
  if (sums.xx == 0) return std::nullopt;
  if (sums.yy == 0) return 1.0;
  const double correlation = sums.xy / std::sqrt(sums.xx * sums.yy);
  return correlation * correlation;
}
std::optional<double> Slope(const PairMoments& sums) {
  if (sums.n < 2 || sums.xx == 0) return std::nullopt;
  return sums.xy / sums.xx;
}
std::optional<double> Intercept(const PairMoments& sums) {
  if (sums.n < 2 || sums.xx == 0) return std::nullopt;
  return sums.y_mean - sums.xy / sums.xx * sums.x_mean;
}

constexpr std::array<std::pair<std::string_view, Result>, 9> kResults = {
    {{"covar_pop", Covariance},
     {"covar_samp", SampleCovariance},
     {"corr", Correlation},
     {"regr_sxx", SquaresOfX},
     {"regr_syy", SquaresOfY},
     {"regr_sxy", Products},
     {"regr_r2", Determination},
     {"regr_slope", Slope},
     {"regr_intercept", Intercept}}};

// NULL until a pair without NULL was seen.
class PairKernel final : public AggregateKernel {
 public:
  PairKernel(const BoundAggregate& signature, Result result)
      : AggregateKernel(signature),
        width_(static_cast<int>(signature.state_types.size())),
        is_regression_(signature.name.starts_with("regr_")),
        result_(result) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const arrow::Array& first = *args[is_regression_ ? 1 : 0];
    const arrow::Array& second = *args[is_regression_ ? 0 : 1];
    const double* x = static_cast<const arrow::DoubleArray&>(first).raw_values();
    const double* y = static_cast<const arrow::DoubleArray&>(second).raw_values();
    const bool has_nulls = first.null_count() + second.null_count() > 0;
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && (first.IsNull(i) || second.IsNull(i))) continue;
      const uint32_t row = target[i - begin];
      PairMoments moments = Read(columns, row);
      AddPair(x[i], y[i], &moments);
      Write(moments, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    for (int64_t i = begin; i < end; ++i) {
      if (partial[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      PairMoments moments = Read(columns, row);
      AddMoments(ReadArrays(partial, i), &moments);
      Write(moments, row, columns);
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
      if (state[0]->IsValid(i)) value = result_(ReadArrays(state, i));
      if (value) {
        builder.UnsafeAppend(*value);
      } else {
        builder.UnsafeAppendNull();
      }
    }
    return builder.Finish();
  }

 private:
  PairMoments Read(const state::StateColumn* columns, uint32_t row) const {
    PairMoments moments;
    double* const fields[] = {&moments.n,  &moments.x_mean, &moments.y_mean,
                              &moments.xy, &moments.xx,     &moments.yy};
    for (int i = 0; i < width_; ++i) *fields[i] = columns[i].values<double>()[row];
    return moments;
  }
  void Write(const PairMoments& moments, uint32_t row, state::StateColumn* columns) const {
    const double fields[] = {moments.n,  moments.x_mean, moments.y_mean,
                             moments.xy, moments.xx,     moments.yy};
    for (int i = 0; i < width_; ++i) {
      columns[i].values<double>()[row] = fields[i];
      columns[i].validity()[row] = 1;
    }
  }
  PairMoments ReadArrays(std::span<const std::shared_ptr<arrow::Array>> state, int64_t row) const {
    PairMoments moments;
    double* const fields[] = {&moments.n,  &moments.x_mean, &moments.y_mean,
                              &moments.xy, &moments.xx,     &moments.yy};
    for (int i = 0; i < width_; ++i) {
      *fields[i] = static_cast<const arrow::DoubleArray&>(*state[i]).Value(row);
    }
    return moments;
  }

  const int width_;  // columns of the accumulator
  const bool is_regression_;
  const Result result_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakePairKernel(const BoundAggregate& signature) {
  for (const auto& [name, result] : kResults) {
    if (name == signature.name) return std::make_shared<PairKernel>(signature, result);
  }
  return nullptr;
}

}  // namespace tidemill::worker::internal
