#pragma once

#include <arrow/result.h>

#include "common/expr/function_registry.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Conditions of a join as filters of its sides, by Catalyst's rules; what a side loses before its
// watermark does not advance it.

// The second half of PushPredicateThroughJoin: of ON, what reads one side alone goes into that
// side, unless its rows are kept without a partner. Returns the join itself where nothing moves.
arrow::Result<LogicalPlanPtr> PushJoinCondition(const LogicalPlanPtr& join);

// EliminateOuterJoin: an outer join under a Filter that no row passes which has NULLs for a side is
// no outer join for that side. Returns `filter` itself where it stays. (Catalyst also takes away a
// left join whose right columns no aggregation reads; here the join stays.)
arrow::Result<LogicalPlanPtr> EliminateOuterJoin(const LogicalPlanPtr& filter,
                                                 const EvalContext& context);

// PushExtraPredicateThroughJoin, for all joins of the plan: of a condition on both sides, such as
// (a = 1 AND x = 2) OR (a = 3 AND x = 4), what it says of one of them: a = 1 OR a = 3. Returns the
// plan itself where there is nothing new.
arrow::Result<LogicalPlanPtr> PushExtraConditions(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
