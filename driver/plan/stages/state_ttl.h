#pragma once

#include <arrow/status.h>

#include <cstdint>

#include "driver/plan/stages/stage_planner.h"

namespace tidemill::driver {

// Setting state.ttl: gives a time to live to the aggregations and deduplications over streams whose
// keys no watermark removes. Errors: STATE_TTL_UNSUPPORTED (kInvalid) where another operator keeps
// rows for ever: a join of two streams or sessions without watermarks.
arrow::Status LimitState(int64_t ttl_us, StagedPlan* plan);

}  // namespace tidemill::driver
