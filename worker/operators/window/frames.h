#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <vector>

#include "common/expr/function_registry.h"
#include "worker/operators/window/sorted_partitions.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// By row: the places [begin, end) of its frame, within its partition; begin == end where it is
// empty. *Plain data.*
struct Frames {
  std::vector<int64_t> begin;
  std::vector<int64_t> end;
};

arrow::Result<Frames> FramesOf(const EvalContext& context, const WindowPlan& plan,
                               const WindowFramePlan& frame, const SortedPartitions& sorted);

}  // namespace tidemill::worker
