#pragma once

#include <arrow/result.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "common/expr/expr.h"
#include "driver/epoch/watermark.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::proto {
class JoinOp;
}

namespace tidemill::driver {

// One side of a join as a stage takes it.
struct JoinSideSteps {
  LogicalPlanPtr projection;  // that makes keys that are no columns, behind the others; or nullptr
  std::vector<int> keys;      // columns, of the projection's output where there is one
  ExprPtr filter;             // over the side's columns; or nullptr
  int event_time = -1;        // column whose late rows are dropped, of two streams
  int state_time = -1;        // column by which state goes
  int state_key = -1;         // the key that it is, or -1
  int64_t event_span_us = 0;
  int64_t state_span_us = 0;
  JoinSideRule rule;
};

// A JoinNode taken apart. *Immutable.*
struct JoinSteps {
  std::array<JoinSideSteps, 2> sides;
  std::vector<bool> is_null_safe;
  ExprPtr condition;  // what is neither key nor filter; or nullptr
  bool is_symmetric = false;
  int build_side = 1;
  bool is_broadcast = false;  // the build side goes whole to every slot
};
// `broadcast_bytes`: sides up to this size are broadcast.
arrow::Result<std::shared_ptr<const JoinSteps>> PlanJoin(const LogicalPlanPtr& node,
                                                         int64_t broadcast_bytes);

// `operator_id` of a symmetric join, `broadcast` of one with a broadcast, else -1.
arrow::Status WriteJoin(const LogicalPlan& node, const JoinSteps& steps, int operator_id,
                        int broadcast, proto::JoinOp* message);

}  // namespace tidemill::driver
