#pragma once

#include <arrow/result.h>

#include <vector>

#include "worker/plan/stage_plan.h"

namespace tidemill::proto {
class JoinOp;
}

namespace tidemill::worker {

// Binds a join that begins a stage with these inputs. Errors: kBug PLAN_INVALID where they do not
// fit.
arrow::Result<JoinPlan> ReadJoin(const proto::JoinOp& message,
                                 const std::vector<StageInputPlan>& inputs);

// Its tables, where both sides are streams.
void AddJoinState(const JoinPlan& plan, std::vector<StatefulOperator>* stateful);

}  // namespace tidemill::worker
