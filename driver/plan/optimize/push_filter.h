#pragma once

#include <arrow/result.h>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Moves the deterministic conditions of a Filter below its child as far as they mean the same
// there, by the rules of Catalyst's PushPredicateThroughNonJoin and the first half of
// PushPredicateThroughJoin, for what is moved below a watermark does not advance it:
//  - below a watermark unless they are on its column; below projections, generators and unions,
//    unless those draw at random; of an aggregation, what is on its keys;
//  - into the side of a join whose rows they are about, unless its rows come with NULLs where they
//    have no partner; of an inner join, what is about both sides becomes its condition.
// A projected expression is computed twice only where a watermark or a join is below it. Returns
// the filter itself where nothing can move.
arrow::Result<LogicalPlanPtr> PushFilter(const LogicalPlanPtr& plan);

// A Filter over a Filter as one (CombineFilters): of the upper one what is deterministic, if the
// lower one is. Returns `plan` itself where nothing is combined.
arrow::Result<LogicalPlanPtr> CombineFilters(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
