#pragma once

#include <arrow/result.h>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Moves a join that stands for a subquery (JoinNode::is_subquery) below the watermarks of its left
// side. In Spark such a subquery is a condition like any other until filters have been pushed down,
// so that rows which it drops do not advance the watermark. It passes what a filter passes:
// filters, projections, unions, the keys of an aggregation, the side of a join that it is about.
// Returns the join itself where no watermark can be passed.
arrow::Result<LogicalPlanPtr> PushSubquery(const LogicalPlanPtr& join);

}  // namespace tidemill::driver
