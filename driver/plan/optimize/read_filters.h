#pragma once

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Tells the reader below a Filter which rows are wanted, where its format has a use for that:
// comparisons of a column with a literal, for row groups of parquet and stripes of orc. The Filter
// stays. Returns the plan itself where there is nothing new to tell.
LogicalPlanPtr TellReader(const LogicalPlanPtr& filter_over_read);

}  // namespace tidemill::driver
