#pragma once

#include <arrow/result.h>

#include <functional>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// The same node over other children of the same columns, its expressions mapped. Names and event
// times stay.
LogicalPlanPtr Rebuild(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children,
                       const std::function<ExprPtr(const ExprPtr&)>& map);
LogicalPlanPtr WithChildren(const LogicalPlan& plan, std::vector<LogicalPlanPtr> children);
// The join as another one.
LogicalPlanPtr WithCondition(const JoinNode& join, std::vector<LogicalPlanPtr> children,
                             JoinType type, ExprPtr condition);

// The rows that meet all conditions; the plan itself for none.
arrow::Result<LogicalPlanPtr> FilterBy(LogicalPlanPtr plan, const std::vector<ExprPtr>& conjuncts,
                                       Span span);

}  // namespace tidemill::driver
