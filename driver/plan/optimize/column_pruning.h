#pragma once

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Drops columns that nothing above reads: from sources, projections, what generators repeat, and
// unread aggregate results. The output of `plan` itself stays as it is.
LogicalPlanPtr PruneColumns(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
