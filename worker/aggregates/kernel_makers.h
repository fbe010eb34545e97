#pragma once

#include <memory>

#include "worker/aggregates/aggregate_kernel.h"

// The families of kernels, one a file. Each takes signatures of its own functions and gives nullptr
// for types that ResolveAggregateCall does not give.
namespace tidemill::worker::internal {

using KernelMaker = std::shared_ptr<const AggregateKernel> (*)(const BoundAggregate& signature);

std::shared_ptr<const AggregateKernel> MakeAverageKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeBitKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeByKeyKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeCountKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeIntervalSumKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeMinMaxKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeMomentKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakePairAverageKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakePairKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakePositionKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeProductKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeSumKernel(const BoundAggregate& signature);

// collections/
std::shared_ptr<const AggregateKernel> MakeCollectListKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeCollectSetKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeListaggKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeModeKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakePercentileKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeTopByKeyKernel(const BoundAggregate& signature);
// Feeds each different tuple of inputs to the kernel of the same call without DISTINCT.
std::shared_ptr<const AggregateKernel> MakeDistinctKernel(
    const BoundAggregate& signature, std::shared_ptr<const AggregateKernel> inner);

// sketches/
std::shared_ptr<const AggregateKernel> MakeApproxPercentileKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeDistinctEstimateKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeHistogramKernel(const BoundAggregate& signature);
std::shared_ptr<const AggregateKernel> MakeTDigestKernel(const BoundAggregate& signature);

}  // namespace tidemill::worker::internal
