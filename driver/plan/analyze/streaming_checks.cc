#include "driver/plan/analyze/streaming_checks.h"

#include <fmt/format.h>

#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using connectors::OutputMode;
using Kind = LogicalPlan::Kind;

// Spark's checks that have no class of their own there.
constexpr const char* kUnsupportedOperation = "UNSUPPORTED_STREAMING_OPERATION";
constexpr const char* kUnsupportedMode = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";

const LogicalPlan* FindAggregate(const LogicalPlanPtr& plan) {
  const LogicalPlan* found = nullptr;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (found == nullptr && node->kind == Kind::kAggregate) found = node.get();
  });
  return found;
}

arrow::Status CheckOutputMode(const LogicalPlanPtr& plan, OutputMode mode) {
  const LogicalPlan* aggregate = FindAggregate(plan);
  if (mode == OutputMode::kAppend && aggregate != nullptr) {
    return QueryError(kUnsupportedMode,
                      "Append output mode not supported when there are streaming aggregations on "
                      "streaming DataFrames/DataSets without watermark",
                      aggregate->span, "use outputMode: complete or outputMode: update");
  }
  if (mode == OutputMode::kComplete && aggregate == nullptr) {
    return QueryError(kUnsupportedMode,
                      "Complete output mode not supported when there are no streaming aggregations "
                      "on streaming DataFrames/Datasets",
                      plan->span, "use outputMode: append");
  }
  return arrow::Status::OK();
}

arrow::Status CheckAggregate(const AggregateNode& node) {
  for (const AggregateCall& call : node.calls) {
    if (!call.is_distinct) continue;
    return QueryError(kUnsupportedOperation,
                      "Distinct aggregations are not supported on streaming DataFrames/Datasets. "
                      "Consider using approx_count_distinct() instead.",
                      call.span);
  }
  return arrow::Status::OK();
}

arrow::Status CheckLimit(const LogicalPlanPtr& node, OutputMode mode) {
  if (mode == OutputMode::kUpdate) {
    return QueryError(kUnsupportedMode,
                      "Limits are not supported on streaming DataFrames/Datasets in Update output "
                      "mode",
                      node->span);
  }
  if (mode == OutputMode::kAppend) {
    return NotSupportedYet("STREAMING_LIMIT", "LIMIT in append mode", node->span);
  }
  if (FindAggregate(node) == nullptr) {
    return NotSupportedYet("STREAMING_LIMIT", "LIMIT below an aggregation", node->span);
  }
  return arrow::Status::OK();
}

arrow::Status CheckNode(const LogicalPlanPtr& node, OutputMode mode) {
  switch (node->kind) {
    case Kind::kAggregate:
      return CheckAggregate(As<AggregateNode>(*node));
    case Kind::kSort:
      if (mode == OutputMode::kComplete && FindAggregate(node) != nullptr) break;
      return QueryError(kUnsupportedOperation,
                        "Sorting is not supported on streaming DataFrames/Datasets, unless it is "
                        "on aggregated DataFrame/Dataset in Complete output mode",
                        node->span);
    case Kind::kLimit:
      return CheckLimit(node, mode);
    default:
      break;
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status CheckStreaming(const LogicalPlanPtr& plan, OutputMode output_mode) {
  if (!IsStreaming(plan)) {
    return QueryError(kUnsupportedOperation,
                      "Queries without streaming sources cannot be executed with "
                      "writeStream.start()",
                      plan->span, "a source is streaming unless it says mode: batch");
  }
  arrow::Status status = CheckOutputMode(plan, output_mode);
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (status.ok()) status = CheckNode(node, output_mode);
  });
  return status;
}

arrow::Status CheckBounded(const LogicalPlanPtr& plan) {
  arrow::Status status;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (!status.ok() || node->kind != Kind::kAggregate) return;
    for (const AggregateCall& call : As<AggregateNode>(*node).calls) {
      if (!call.is_distinct) continue;
      status =
          NotSupportedYet("DISTINCT_AGGREGATE", "DISTINCT in an aggregate function", call.span);
      return;
    }
  });
  return status;
}

OutputMode BoundedOutputMode(const LogicalPlanPtr& plan) {
  return FindAggregate(plan) == nullptr ? OutputMode::kAppend : OutputMode::kComplete;
}

}  // namespace tidemill::driver
