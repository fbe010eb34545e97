#include "worker/aggregates/aggregate_kernel.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker {

namespace {

struct Family {
  std::string_view function;
  internal::KernelMaker make;
};

// By function; sorted.
constexpr std::array kFamilies = {
    Family{"any_value", internal::MakePositionKernel},
    Family{"approx_count_distinct", internal::MakeDistinctEstimateKernel},
    Family{"approx_percentile", internal::MakeApproxPercentileKernel},
    Family{"avg", internal::MakeAverageKernel},
    Family{"bit_and", internal::MakeBitKernel},
    Family{"bit_or", internal::MakeBitKernel},
    Family{"bit_xor", internal::MakeBitKernel},
    Family{"bool_and", internal::MakeMinMaxKernel},
    Family{"bool_or", internal::MakeMinMaxKernel},
    Family{"collect_list", internal::MakeCollectListKernel},
    Family{"collect_set", internal::MakeCollectSetKernel},
    Family{"corr", internal::MakePairKernel},
    Family{"count", internal::MakeCountKernel},
    Family{"count_if", internal::MakeCountKernel},
    Family{"covar_pop", internal::MakePairKernel},
    Family{"covar_samp", internal::MakePairKernel},
    Family{"first", internal::MakePositionKernel},
    Family{"histogram_numeric", internal::MakeHistogramKernel},
    Family{"kurtosis", internal::MakeMomentKernel},
    Family{"last", internal::MakePositionKernel},
    Family{"listagg", internal::MakeListaggKernel},
    Family{"max", internal::MakeMinMaxKernel},
    Family{"max_by", internal::MakeByKeyKernel},
    Family{"median", internal::MakePercentileKernel},
    Family{"min", internal::MakeMinMaxKernel},
    Family{"min_by", internal::MakeByKeyKernel},
    Family{"mode", internal::MakeModeKernel},
    Family{"percentile", internal::MakePercentileKernel},
    Family{"percentile_cont", internal::MakePercentileKernel},
    Family{"percentile_disc", internal::MakePercentileKernel},
    Family{"product", internal::MakeProductKernel},
    Family{"regr_avgx", internal::MakePairAverageKernel},
    Family{"regr_avgy", internal::MakePairAverageKernel},
    Family{"regr_count", internal::MakeCountKernel},
    Family{"regr_intercept", internal::MakePairKernel},
    Family{"regr_r2", internal::MakePairKernel},
    Family{"regr_slope", internal::MakePairKernel},
    Family{"regr_sxx", internal::MakePairKernel},
    Family{"regr_sxy", internal::MakePairKernel},
    Family{"regr_syy", internal::MakePairKernel},
    Family{"skewness", internal::MakeMomentKernel},
    Family{"stddev_pop", internal::MakeMomentKernel},
    Family{"stddev_samp", internal::MakeMomentKernel},
    Family{"sum", internal::MakeSumKernel},
    Family{"tdigest_percentile", internal::MakeTDigestKernel},
    Family{"try_avg", internal::MakeAverageKernel},
    Family{"try_sum", internal::MakeSumKernel},
    Family{"var_pop", internal::MakeMomentKernel},
    Family{"var_samp", internal::MakeMomentKernel},
};

std::shared_ptr<const AggregateKernel> Make(const BoundAggregate& signature) {
  const auto found =
      std::lower_bound(kFamilies.begin(), kFamilies.end(), signature.name,
                       [](const Family& a, std::string_view name) { return a.function < name; });
  if (found == kFamilies.end() || found->function != signature.name) return nullptr;
  return found->make(signature);
}

}  // namespace

arrow::Result<std::shared_ptr<const AggregateKernel>> MakeAggregateKernel(
    const BoundAggregate& signature) {
  std::shared_ptr<const AggregateKernel> kernel;
  if (signature.is_distinct) {
    BoundAggregate inner = signature;
    inner.is_distinct = false;
    inner.state_types = signature.inner_state_types;
    kernel = Make(inner);
    if (kernel != nullptr) kernel = internal::MakeDistinctKernel(signature, std::move(kernel));
  } else {
    kernel = Make(signature);
  }
  if (kernel != nullptr) return kernel;
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("no aggregate kernel: function={} type={}", signature.name,
                               signature.type->ToString()));
}

}  // namespace tidemill::worker
