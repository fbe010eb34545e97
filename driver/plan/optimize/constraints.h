#pragma once

#include <arrow/result.h>

#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Deterministic conditions that are true for every row of a relation, over its columns, each once.
using Constraints = std::vector<ExprPtr>;

// Adds one that is not there yet. Beyond a limit there are no more: what is left out is not used.
void AddConstraint(ExprPtr condition, Constraints* constraints);

// What filters and joins below say of the rows of `plan`, with what follows: other columns by
// equalities, and columns that are not NULL. Mirrors Catalyst's QueryPlanConstraints, node by node,
// to find the filters that Spark finds: its validConstraints, inferAdditionalConstraints and
// constructIsNotNullConstraints.
arrow::Result<Constraints> ConstraintsOf(const LogicalPlan& plan);

// Conditions that follow from equalities of columns among them.
arrow::Result<Constraints> InferFromEqualities(const Constraints& constraints);
// `x IS NOT NULL` for what cannot be NULL where they are true.
arrow::Result<Constraints> InferNotNull(const Constraints& constraints);

}  // namespace tidemill::driver
