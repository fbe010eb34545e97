#pragma once

#include <arrow/result.h>

#include <memory>

#include "common/types/value_format.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Rewrites a resolved plan into one that does the same with less work: constants are folded,
// aliases vanish, filters move towards the sources, neighbouring projections become one, and
// columns that nothing reads are dropped, down to the columns that a source delivers (possibly
// none). The number and the order of stateful operators never change, nor the names and types of
// the result.
arrow::Result<LogicalPlanPtr> Optimize(const LogicalPlanPtr& plan,
                                       const std::shared_ptr<const TimeZone>& zone);

}  // namespace tidemill::driver
