#pragma once

#include <arrow/result.h>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Moves the conditions of a Filter below its child as far as they mean the same there, by
// Catalyst's rules: below a watermark only where they are deterministic and not on its column, into
// the side of a join whose rows they are about. Returns the filter itself where none can move.
arrow::Result<LogicalPlanPtr> PushFilter(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
