#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/types/value_format.h"
#include "connectors/source.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// The event time of a declared source.
struct SourceWatermark {
  std::string source;
  std::string column;
  int64_t delay_us = 0;
};

// Of which rows of a declared source the first alone counts: those equal in the columns, or in all
// of them where none is named.
struct SourceDuplicates {
  std::string source;
  std::vector<std::string> columns;
  bool within_watermark = false;
};

// What names in a query may mean. *Plain data.*
struct AnalyzerContext {
  std::vector<connectors::SourceSpec> sources;
  std::string_view query;  // the text that the spans of the AST point into
  std::shared_ptr<const TimeZone> zone;
  std::vector<SourceWatermark> watermarks;   // that specifications give to sources
  std::vector<SourceDuplicates> duplicates;  // likewise, behind the watermarks
  bool is_bounded = false;                   // tables are read once, so there is no STREAM
};

// Resolves a parsed query: tables, columns, functions, types. The plan does what the query says,
// node by node, without optimization. Errors are Spark's (kInvalid, with a span in the query).
arrow::Result<LogicalPlanPtr> Analyze(const sql::Query& query, const AnalyzerContext& context);

// WHERE and HAVING: a condition must be BOOLEAN. Errors: DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN.
arrow::Result<ExprPtr> RequireBoolean(ExprPtr condition, Span span);

}  // namespace tidemill::driver
