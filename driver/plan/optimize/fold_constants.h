#pragma once

#include "common/expr/expr.h"
#include "common/expr/function_registry.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Folds what is constant in the expressions of all nodes, inside out. The epoch's functions and
// nested values (which the plan writes as calls) stay; so does what fails, to fail on a row as in
// Spark.
LogicalPlanPtr FoldConstants(const LogicalPlanPtr& plan, const EvalContext& context);

// Whether it reads the time of the epoch: its value does not belong to the plan.
bool ReadsEpochTime(const Expr& expr);

bool IsBooleanLiteral(const Expr& expr, bool value);

}  // namespace tidemill::driver
