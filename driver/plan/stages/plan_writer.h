#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/expr/expr.h"
#include "connectors/sink.h"
#include "driver/plan/stages/stage_planner.h"

namespace tidemill::proto {
class Expr;
class PhysicalPlan;
}  // namespace tidemill::proto

namespace tidemill::driver {

// Writes an expression for the wire. Errors: kBug for a constant that the wire has no form for.
arrow::Status WriteExpr(const Expr& expr, proto::Expr* message);

// The plan as it is deployed, with the places of expressions in `query`.
arrow::Result<std::shared_ptr<proto::PhysicalPlan>> WritePlan(const StagedPlan& plan,
                                                              const connectors::SinkSpec& sink,
                                                              const connectors::SinkNeeds& needs,
                                                              const std::string& time_zone,
                                                              const std::string& query);

// Hash64 of the plan's deterministic serialisation without the query's text and the places in it.
uint64_t FingerprintOf(const proto::PhysicalPlan& plan);

}  // namespace tidemill::driver
