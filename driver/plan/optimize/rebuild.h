#pragma once

#include <functional>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// The same node over other children of the same columns, its expressions mapped. Names and event
// times stay.
LogicalPlanPtr Rebuild(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children,
                       const std::function<ExprPtr(const ExprPtr&)>& map);
LogicalPlanPtr WithChildren(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children);

}  // namespace tidemill::driver
