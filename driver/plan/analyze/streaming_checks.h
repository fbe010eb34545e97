#pragma once

#include <arrow/status.h>

#include "connectors/sink.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// Refuses what a streaming query cannot do, in Spark's words (UnsupportedOperationChecker, its
// table of output modes and operations). Errors: STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION,
// UNSUPPORTED_STREAMING_OPERATION, UNSUPPORTED_FEATURE.STREAMING_LIMIT (kInvalid).
arrow::Status CheckStreaming(const LogicalPlanPtr& plan, connectors::OutputMode output_mode);

// Refuses what no operator can do yet in a query that reads tables once, to their ends. Errors:
// UNSUPPORTED_FEATURE (kInvalid).
arrow::Status CheckBounded(const LogicalPlanPtr& plan);
// In which the one epoch of such a query gives its whole result.
connectors::OutputMode BoundedOutputMode(const LogicalPlanPtr& plan);

}  // namespace tidemill::driver
