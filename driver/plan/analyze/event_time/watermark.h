#pragma once

#include <arrow/result.h>

#include "driver/plan/analyze/analyzer.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// The relation with a watermark on a column, or on an expression that becomes a column of its own
// behind the others. Over bounded input there is none. Errors: EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE,
// INVALID_WATERMARK_DELAY, those of names.
arrow::Result<LogicalPlanPtr> AddWatermark(LogicalPlanPtr plan, const sql::Watermark& watermark,
                                           const AnalyzerContext& context);

// The same for a column that the specification of a source names.
arrow::Result<LogicalPlanPtr> AddWatermark(LogicalPlanPtr plan, const SourceWatermark& watermark,
                                           Span span);

}  // namespace tidemill::driver
