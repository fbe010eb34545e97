#pragma once

#include <arrow/result.h>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Adds filters that say nothing new about the result but can move further down than what they
// follow from: below a watermark, rows that they drop do not advance it, as in Spark.

// Catalyst's InferFiltersFromConstraints: a Filter also says that its columns are not NULL, and
// what follows from equalities; so does a join for each side whose rows it drops where they have no
// partner. Joins that stand for subqueries add nothing: in Spark they are conditions then.
arrow::Result<LogicalPlanPtr> InferFilters(const LogicalPlanPtr& plan);

// InferFiltersFromGenerate: explode, posexplode and inline of a column drop the rows where it is
// NULL or empty; said only above a watermark. Comes before projections are taken into generators.
arrow::Result<LogicalPlanPtr> InferFiltersOfGenerators(const LogicalPlanPtr& plan);

// Takes `x IS NOT NULL` out of Filters whose other conditions are NULL where x is and fail on no
// input: inferring has added it, and nothing could move without it.
arrow::Result<LogicalPlanPtr> DropImpliedConditions(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
