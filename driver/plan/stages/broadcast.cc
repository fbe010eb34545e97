#include "driver/plan/stages/broadcast.h"

#include <limits>

#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

bool MayBroadcast(JoinType type, int side) {
  switch (type) {
    case JoinType::kInner:
      return true;
    case JoinType::kRight:
      return side == 0;
    case JoinType::kLeft:
    case JoinType::kLeftSemi:
    case JoinType::kLeftAnti:
      return side == 1;
    case JoinType::kFull:
      return false;
  }
  return false;
}

}  // namespace

std::optional<int64_t> EstimateBytes(const LogicalPlan& plan) {
  switch (plan.kind) {
    case Kind::kRead: {
      const connectors::SourceSpec& source = As<ReadNode>(plan).source;
      return source.is_streaming ? std::nullopt : source.bytes;
    }
    case Kind::kUnion: {
      int64_t sum = 0;
      for (const LogicalPlanPtr& child : plan.children) {
        const std::optional<int64_t> bytes = EstimateBytes(*child);
        if (!bytes) return std::nullopt;
        sum += *bytes;
      }
      return sum;
    }
    case Kind::kSubqueryAlias:
    case Kind::kFilter:
    case Kind::kProject:
    case Kind::kAggregate:
    case Kind::kSort:
    case Kind::kLimit:
    case Kind::kWindow:
    case Kind::kDeduplicate:
    case Kind::kWithWatermark:
      return EstimateBytes(*plan.children[0]);
    case Kind::kJoin: {
      const JoinType type = As<JoinNode>(plan).type;
      const bool gives_left_only = type == JoinType::kLeftSemi || type == JoinType::kLeftAnti;
      return gives_left_only ? EstimateBytes(*plan.children[0]) : std::nullopt;
    }
    case Kind::kOneRow:
    case Kind::kGenerate:
    case Kind::kRefused:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int> BroadcastSide(const JoinNode& join, int64_t limit) {
  std::optional<int> smallest;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const int side : {1, 0}) {
    if (!MayBroadcast(join.type, side)) continue;
    const std::optional<int64_t> bytes = EstimateBytes(*join.children[side]);
    if (!bytes || *bytes > limit || *bytes >= least) continue;
    least = *bytes;
    smallest = side;
  }
  return smallest;
}

}  // namespace tidemill::driver
