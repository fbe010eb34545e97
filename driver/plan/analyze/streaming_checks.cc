#include "driver/plan/analyze/streaming_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "driver/plan/logical/join_condition.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"

namespace tidemill::driver {

namespace {

using connectors::OutputMode;
using Kind = LogicalPlan::Kind;

// Spark's checks (UnsupportedOperationChecker) have no class of their own there.
constexpr const char* kUnsupportedOperation = "UNSUPPORTED_STREAMING_OPERATION";
constexpr const char* kUnsupportedMode = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";

arrow::Status Refuse(std::string message, Span span, std::string hint = "") {
  return QueryError(kUnsupportedOperation, std::move(message), span, std::move(hint));
}

std::string_view ModeName(OutputMode mode) {
  switch (mode) {
    case OutputMode::kUpdate:
      return "update";
    case OutputMode::kComplete:
      return "complete";
    default:
      return "append";
  }
}

arrow::Status RefuseMode(OutputMode mode, std::string_view operation, Span span, std::string hint) {
  return QueryError(kUnsupportedMode,
                    fmt::format("Invalid streaming output mode: {}. This output mode is not "
                                "supported for {} on streaming DataFrames/DataSets.",
                                ModeName(mode), operation),
                    span, std::move(hint));
}

// The topmost aggregation over a stream, or nullptr.
const AggregateNode* FindAggregate(const LogicalPlanPtr& plan) {
  const AggregateNode* found = nullptr;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (found == nullptr && node->kind == Kind::kAggregate && IsStreaming(node)) {
      found = &As<AggregateNode>(*node);
    }
  });
  return found;
}

arrow::Status CheckOutputMode(const LogicalPlanPtr& plan, OutputMode mode) {
  const AggregateNode* aggregate = FindAggregate(plan);
  if (aggregate == nullptr) {
    if (mode != OutputMode::kComplete) return arrow::Status::OK();
    return RefuseMode(mode, "no streaming aggregations", plan->span, "use outputMode: append");
  }
  const bool has_event_time =
      std::any_of(aggregate->event_times.begin(), aggregate->event_times.end(),
                  [](const auto& time) { return time.has_value(); });
  if (mode == OutputMode::kAppend && !has_event_time) {
    return RefuseMode(mode, "streaming aggregations without watermark", aggregate->span,
                      "use outputMode: complete or outputMode: update");
  }
  if (mode == OutputMode::kUpdate && aggregate->session_key >= 0) {
    return RefuseMode(mode, "session window streaming aggregations", aggregate->span,
                      "use outputMode: append");
  }
  return arrow::Status::OK();
}

arrow::Status CheckAggregate(const AggregateNode& node) {
  if (!IsStreaming(node.children[0])) return arrow::Status::OK();
  for (const AggregateCall& call : node.calls) {
    if (!call.is_distinct) continue;
    return Refuse(
        "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using "
        "approx_count_distinct() instead.",
        call.span);
  }
  return arrow::Status::OK();
}

std::string_view SparkName(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "Inner";
    case JoinType::kLeft:
      return "LeftOuter";
    case JoinType::kRight:
      return "RightOuter";
    case JoinType::kFull:
      return "FullOuter";
    case JoinType::kLeftSemi:
      return "LeftSemi";
    case JoinType::kLeftAnti:
      return "LeftAnti";
  }
  return "";
}

arrow::Status CheckStreamStreamWatermark(const JoinNode& join) {
  const bool has_key = EventTimeKey(join, SplitJoinCondition(join)) >= 0;
  // The side whose rows wait for a partner must learn from the other one's event time.
  const bool bounds_left = join.type != JoinType::kRight && !StateBoundsOf(join, true).empty();
  const bool bounds_right = (join.type == JoinType::kRight || join.type == JoinType::kFull) &&
                            !StateBoundsOf(join, false).empty();
  if (has_key || bounds_left || bounds_right) return arrow::Status::OK();
  return Refuse(
      fmt::format("Stream-stream {} join between two streaming DataFrame/Datasets is not supported "
                  "without a watermark in the join keys, or a watermark on the nullable side and "
                  "an appropriate range condition",
                  SparkName(join.type)),
      join.span);
}

arrow::Status CheckStreamStatic(const JoinNode& join, bool left_streams) {
  const std::string_view type = SparkName(join.type);
  switch (join.type) {
    case JoinType::kInner:
      return arrow::Status::OK();
    case JoinType::kFull:
      return Refuse(fmt::format("FullOuter joins with streaming DataFrames/Datasets on the {} and "
                                "a static DataFrame/Dataset on the {} is not supported",
                                left_streams ? "left" : "right", left_streams ? "right" : "left"),
                    join.span);
    case JoinType::kLeft:
    case JoinType::kLeftSemi:
      if (left_streams) return arrow::Status::OK();
      return Refuse(fmt::format("{} join with a streaming DataFrame/Dataset on the right and a "
                                "static DataFrame/Dataset on the left is not supported",
                                type),
                    join.span);
    case JoinType::kLeftAnti:
      if (left_streams) return arrow::Status::OK();
      return Refuse(
          "LeftAnti joins with a streaming DataFrame/Dataset on the right are not "
          "supported",
          join.span);
    case JoinType::kRight:
      if (!left_streams) return arrow::Status::OK();
      return Refuse(
          "RightOuter join with a streaming DataFrame/Dataset on the left and a static "
          "DataFrame/DataSet on the right not supported",
          join.span);
  }
  return arrow::Status::OK();
}

arrow::Status CheckJoin(const JoinNode& join, OutputMode mode) {
  const bool left_streams = IsStreaming(join.children[0]);
  const bool right_streams = IsStreaming(join.children[1]);
  if (!left_streams && !right_streams) return arrow::Status::OK();
  if (!left_streams || !right_streams) return CheckStreamStatic(join, left_streams);
  if (join.type == JoinType::kLeftAnti && mode != OutputMode::kComplete) {
    return Refuse(
        "LeftAnti joins with a streaming DataFrame/Dataset on the right are not "
        "supported",
        join.span);
  }
  // Joins that only ever add rows; Spark takes them in update mode as well.
  const bool adds = join.type == JoinType::kInner || join.type == JoinType::kLeftSemi;
  const bool fits = mode == OutputMode::kAppend || (mode == OutputMode::kUpdate && adds);
  if (!fits) {
    return Refuse(
        fmt::format("{} join between two streaming DataFrames/Datasets is not supported in {} "
                    "output mode, only in {}",
                    SparkName(join.type), mode == OutputMode::kUpdate ? "Update" : "Complete",
                    adds ? "Append and Update output modes" : "Append output mode"),
        join.span);
  }
  if (join.type == JoinType::kInner) return arrow::Status::OK();
  return CheckStreamStreamWatermark(join);
}

arrow::Status CheckUnion(const LogicalPlan& node) {
  const bool first = IsStreaming(node.children[0]);
  for (const LogicalPlanPtr& child : node.children) {
    if (IsStreaming(child) == first) continue;
    return Refuse("Union between streaming and batch DataFrames/Datasets is not supported",
                  node.span);
  }
  return arrow::Status::OK();
}

arrow::Status CheckLimit(const LogicalPlanPtr& node, OutputMode mode) {
  if (As<LimitNode>(*node).offset > 0) {
    return Refuse("Offset is not supported on streaming DataFrames/Datasets", node->span);
  }
  if (mode == OutputMode::kUpdate) {
    return Refuse("Limits are not supported on streaming DataFrames/Datasets in Update output mode",
                  node->span);
  }
  return arrow::Status::OK();
}

arrow::Status CheckWindow(const WindowNode& window) {
  for (const WindowCall& call : window.calls) {
    if (call.function != kRowIdFunction) continue;
    return Refuse(fmt::format("Expression(s): {} is not supported with streaming "
                              "DataFrames/Datasets",
                              call.text),
                  call.span);
  }
  if (!IsStreaming(window.children[0])) return arrow::Status::OK();
  std::string calls;
  for (const WindowCall& call : window.calls) calls += (calls.empty() ? "" : ", ") + call.text;
  return QueryError("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
                    fmt::format("Window function is not supported in {} on streaming "
                                "DataFrames/Datasets. Structured Streaming only supports "
                                "time-window aggregation using the WINDOW function.",
                                calls),
                    window.span);
}

arrow::Status CheckWatermark(const LogicalPlanPtr& watermark) {
  bool is_second = false;
  for (const LogicalPlanPtr& child : watermark->children) {
    ForEachNode(child, [&](const LogicalPlanPtr& node) {
      is_second = is_second || node->kind == Kind::kWithWatermark;
    });
  }
  if (!is_second) return arrow::Status::OK();
  return Refuse(
      "Redefining watermark is disallowed. You can set the config "
      "'spark.sql.streaming.statefulOperator.allowMultiple' to 'false' to restore the "
      "previous behavior. Note that multiple stateful operators will be disallowed.",
      watermark->span, "that setting does not exist here");
}

arrow::Status CheckNode(const LogicalPlanPtr& node, OutputMode mode) {
  switch (node->kind) {
    case Kind::kAggregate:
      return CheckAggregate(As<AggregateNode>(*node));
    case Kind::kJoin:
      return CheckJoin(As<JoinNode>(*node), mode);
    case Kind::kUnion:
      return CheckUnion(*node);
    case Kind::kDeduplicate: {
      const auto& deduplicate = As<DeduplicateNode>(*node);
      if (!deduplicate.within_watermark || !IsStreaming(node)) break;
      if (EventTimeColumn(deduplicate.child().output) >= 0) break;
      return Refuse(
          "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without "
          "watermark",
          node->span);
    }
    case Kind::kWithWatermark:
      return CheckWatermark(node);
    case Kind::kWindow:
      return CheckWindow(As<WindowNode>(*node));
    case Kind::kRefused:
      return As<RefusedNode>(*node).why;
    case Kind::kSort:
      if (!IsStreaming(node)) break;
      if (mode == OutputMode::kComplete && FindAggregate(node) != nullptr) break;
      return Refuse(
          "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated "
          "DataFrame/Dataset in Complete output mode",
          node->span);
    case Kind::kLimit:
      return IsStreaming(node) ? CheckLimit(node, mode) : arrow::Status::OK();
    default:
      break;
  }
  return arrow::Status::OK();
}

// Operators that can get rows late from an aggregation below them.
bool IsStateful(const LogicalPlanPtr& node) {
  if (!IsStreaming(node)) return false;
  switch (node->kind) {
    case Kind::kAggregate:
      return true;
    case Kind::kJoin:
      return IsStreaming(node->children[0]) && IsStreaming(node->children[1]);
    case Kind::kDeduplicate: {
      const auto& deduplicate = As<DeduplicateNode>(*node);
      return deduplicate.within_watermark ||
             std::any_of(deduplicate.columns.begin(), deduplicate.columns.end(),
                         [&](int column) { return node->output[column].event_time.has_value(); });
    }
    default:
      return false;
  }
}

arrow::Status CheckGlobalWatermark(const LogicalPlanPtr& plan, OutputMode mode) {
  if (mode == OutputMode::kAppend) return arrow::Status::OK();
  bool is_doubtful = false;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (!IsStateful(node)) return;
    for (const LogicalPlanPtr& child : node->children) {
      is_doubtful = is_doubtful || FindAggregate(child) != nullptr;
    }
  });
  if (!is_doubtful) return arrow::Status::OK();
  return Refuse(
      "Detected pattern of possible 'correctness' issue due to global watermark. The query "
      "contains "
      "stateful operation which can emit rows older than the current watermark plus allowed late "
      "record delay, which are \"late rows\" in downstream stateful operations and these rows can "
      "be discarded. Please refer the programming guide doc for more details. If you understand "
      "the "
      "possible risk of correctness issue and still need to run the query, you can disable this "
      "check by setting the config "
      "`spark.sql.streaming.statefulOperator.checkCorrectness.enabled` to false.",
      plan->span, "use outputMode: append; the check cannot be disabled here");
}

// Children before their parents, as Spark looks.
void CheckTree(const LogicalPlanPtr& node, OutputMode mode, arrow::Status* status) {
  for (const LogicalPlanPtr& child : node->children) CheckTree(child, mode, status);
  if (status->ok()) *status = CheckNode(node, mode);
}

}  // namespace

arrow::Status CheckStreaming(const LogicalPlanPtr& plan, OutputMode output_mode) {
  if (!IsStreaming(plan)) {
    return Refuse("Queries without streaming sources cannot be executed with writeStream.start()",
                  plan->span, "a source is streaming unless it says mode: batch");
  }
  arrow::Status status = CheckOutputMode(plan, output_mode);
  CheckTree(plan, output_mode, &status);
  if (status.ok()) status = CheckGlobalWatermark(plan, output_mode);
  return status;
}

arrow::Status CheckBounded(const LogicalPlanPtr& plan) {
  arrow::Status status;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (!status.ok()) return;
    if (node->kind == Kind::kDeduplicate && As<DeduplicateNode>(*node).within_watermark) {
      status = Refuse(
          "dropDuplicatesWithinWatermark is not supported with batch "
          "DataFrames/DataSets",
          node->span);
    }
  });
  return status;
}

OutputMode BoundedOutputMode(const LogicalPlanPtr& plan) {
  bool has_aggregate = false;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    has_aggregate = has_aggregate || node->kind == Kind::kAggregate;
  });
  return has_aggregate ? OutputMode::kComplete : OutputMode::kAppend;
}

}  // namespace tidemill::driver
