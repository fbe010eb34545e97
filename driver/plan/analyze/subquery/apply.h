#pragma once

#include <arrow/result.h>

#include <vector>

#include "driver/plan/analyze/subquery/decorrelation.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Whether `query` has to be evaluated once for each different row of values that it names, because
// it groups, orders or limits rows that depend on them. Otherwise once for each row is the same.
bool NeedsDistinctRows(const LogicalPlanPtr& query);

// The rows of `domain`, each with the rows that `query` gives for it: `query` evaluated for all of
// them at once (Catalyst's DecorrelateInnerQuery). A column kOuterColumns + i of the query is
// column places[i] of `domain`, whose rows must be different where NeedsDistinctRows. Output: the
// columns of `domain`, then those of `query`. Errors: UNSUPPORTED_FEATURE.CORRELATED_SUBQUERY.
arrow::Result<LogicalPlanPtr> Apply(const LogicalPlanPtr& query, const LogicalPlanPtr& domain,
                                    const std::vector<int>& places);

// `query` applied to the different rows of the columns that it names of the query around, which has
// the fields `outer`. `domain` of the result stands for these rows: OverDistinctRows
// puts them there.
arrow::Result<Decorrelated> ApplyToDomain(const LogicalPlanPtr& query,
                                          const std::vector<PlanField>& outer);

// `plan` with the different rows of `keys` over `base` in the place of `domain`. Errors:
// for streams, which have no end to wait for, and for maps.
arrow::Result<LogicalPlanPtr> OverDistinctRows(const LogicalPlanPtr& plan,
                                               const LogicalPlanPtr& domain,
                                               const LogicalPlanPtr& base,
                                               std::vector<ExprPtr> keys, Span span);

}  // namespace tidemill::driver
