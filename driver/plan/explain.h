#pragma once

#include <string>

#include "connectors/sink.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/plan/stages/stage_planner.h"

namespace tidemill::driver {

// One line for a node: "Filter (n > 1)".
std::string NodeText(const LogicalPlan& node);

// The tree in Spark's form, a line for each node, the child below its parent behind "+- ".
std::string TreeText(const LogicalPlanPtr& plan);

// The stages, one block each, ending in where the rows go.
std::string StagesText(const StagedPlan& plan, const connectors::SinkSpec& sink);

}  // namespace tidemill::driver
