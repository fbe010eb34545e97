#pragma once

#include <arrow/result.h>

#include <string>

#include "driver/plan/analyze/analyzer.h"
#include "driver/plan/analyze/name_scope.h"

namespace tidemill::driver {

// A query of WITH, analysed where it is defined, and those defined before it. Lives on the stack of
// the analysis, as what follows does.
struct CommonTableScope {
  std::string name;
  LogicalPlanPtr plan;
  const CommonTableScope* before = nullptr;
};

// The columns of the query around a subquery.
struct OuterScope {
  const NameScope& names;
  bool was_used = false;  // a name was found there
};

// What is visible where a query stands. *Plain data.*
struct QueryScope {
  const AnalyzerContext& context;
  const CommonTableScope* common_tables = nullptr;
  OuterScope* outer = nullptr;
};

// A query where names may also mean what `scope` shows.
arrow::Result<LogicalPlanPtr> AnalyzeIn(const sql::Query& query, const QueryScope& scope);

// Everything of a query that is a SELECT above FROM and LATERAL VIEW, which are `input`.
arrow::Result<LogicalPlanPtr> AnalyzeSelectList(const sql::Query& query, LogicalPlanPtr input,
                                                const QueryScope& scope);

}  // namespace tidemill::driver
