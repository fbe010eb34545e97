#pragma once

#include <cstdint>
#include <optional>

#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Which side of a join every slot gets whole, so that the other side need not be exchanged.

// How large the rows of a bounded relation are at most, by what its sources hold: in bytes, as
// Spark estimates sizes without statistics (filters and projections make nothing smaller). Nothing
// where that is not known.
std::optional<int64_t> EstimateBytes(const LogicalPlan& plan);

// The side of the join, 0 for the left one, that is bounded and no larger than `limit` bytes,
// whose rows without partner do not go out: the smaller one where both are. As Spark's
// JoinSelection.
std::optional<int> BroadcastSide(const JoinNode& join, int64_t limit);

}  // namespace tidemill::driver
