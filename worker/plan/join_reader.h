#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <array>
#include <memory>
#include <vector>

#include "worker/plan/stage_plan.h"

namespace tidemill::proto {
class JoinOp;
}

namespace tidemill::worker {

// What the sides of a join are given: rows of the side's columns, then maybe of computed keys.
using JoinInputs = std::array<std::shared_ptr<arrow::Schema>, 2>;  // left, right

// Binds a join; whether it keeps its build side is the caller's to say. Errors: kBug PLAN_INVALID
// where the inputs do not fit.
arrow::Result<JoinPlan> ReadJoin(const proto::JoinOp& message, const JoinInputs& inputs);

// Its tables, where both sides are streams.
void AddJoinState(const JoinPlan& plan, std::vector<StatefulOperator>* stateful);

}  // namespace tidemill::worker
