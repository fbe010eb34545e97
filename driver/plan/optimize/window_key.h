#pragma once

#include <arrow/result.h>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// An aggregation by time windows groups by their starts alone, one number instead of a struct of
// two; a projection above makes the windows again. Returns the plan itself where no key is a
// window of a fixed length.
arrow::Result<LogicalPlanPtr> GroupByWindowStart(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
