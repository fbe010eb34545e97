#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/analyze/analyzer.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// A call of window(), session_window() or window_time() that has become a column of the input.
struct TimeColumn {
  std::string function;
  std::vector<ExprPtr> args;  // bound over the input before
  int column = 0;
  std::string name;
  std::shared_ptr<arrow::DataType> type;
};

// The input of a SELECT with a column behind the others for each different call in its clauses.
// Rows without a time are gone where a window was called for, and rows of overlapping windows are
// there once for each window (Spark's rules TimeWindowing, SessionWindowing, ResolveWindowTime).
struct WindowedInput {
  LogicalPlanPtr plan;
  std::vector<TimeColumn> columns;
};

bool IsTimeWindowName(std::string_view name);  // of these three; case-insensitive

// Errors: those of names; DATATYPE_MISMATCH.* for arguments that are no windows; more than one
// window in a SELECT is refused as in Spark.
arrow::Result<WindowedInput> AddTimeColumns(const sql::Query& query, LogicalPlanPtr input,
                                            const AnalyzerContext& context);

// The column of a call, or nullptr.
const TimeColumn* FindTimeColumn(const std::vector<TimeColumn>& columns, std::string_view function,
                                 const std::vector<ExprPtr>& args);

}  // namespace tidemill::driver
