#pragma once

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "driver/plan/explain.h"
#include "driver/plan/planner.h"

namespace tidemill::driver {

// A job over three small sources, planned from its query's text.

inline connectors::SourceSpec SourceOf(std::string name, std::string format, std::string ddl,
                                       bool is_streaming = true) {
  connectors::SourceSpec source;
  source.name = std::move(name);
  source.format = std::move(format);
  source.schema = *ParseDdlSchema(ddl);
  source.is_streaming = is_streaming;
  source.options.Set("path", "/in/" + source.name);
  return source;
}

inline std::vector<connectors::SourceSpec> TestSources() {
  return {SourceOf("lines", "text", "value STRING"),
          SourceOf("log", "json",
                   "user STRING, page STRING, ms DOUBLE, n INT, s STRUCT<a: INT, b: STRING>, tags "
                   "ARRAY<STRING>, attrs MAP<STRING, INT>, ts TIMESTAMP"),
          SourceOf("countries", "json", "code STRING, name STRING", /*is_streaming=*/false)};
}

inline JobSpec SpecOf(const std::string& query,
                      connectors::OutputMode mode = connectors::OutputMode::kAppend) {
  JobSpec spec;
  spec.name = "job";
  spec.query = query;
  spec.query_place.pieces = {{0, 0}};
  spec.output_mode = mode;
  spec.file = "job.sql";
  spec.text = query;
  return spec;
}

inline constexpr auto kAppend = connectors::OutputMode::kAppend;
inline constexpr auto kUpdate = connectors::OutputMode::kUpdate;
inline constexpr auto kComplete = connectors::OutputMode::kComplete;

inline arrow::Result<AnalyzedQuery> AnalyzeText(const std::string& query,
                                                connectors::OutputMode mode = kAppend) {
  return AnalyzeQuery(SpecOf(query, mode), TestSources());
}

inline std::string AnalyzedText(const std::string& query, connectors::OutputMode mode = kAppend) {
  auto analyzed = AnalyzeText(query, mode);
  return analyzed.ok() ? TreeText(analyzed->analyzed) : RenderError(analyzed.status());
}

inline std::string OptimizedText(const std::string& query, connectors::OutputMode mode = kAppend) {
  auto analyzed = AnalyzeText(query, mode);
  return analyzed.ok() ? TreeText(analyzed->optimized) : RenderError(analyzed.status());
}

inline std::string SchemaText(const std::string& query, connectors::OutputMode mode = kAppend) {
  auto analyzed = AnalyzeText(query, mode);
  return analyzed.ok() ? DdlOf(*analyzed->schema) : RenderError(analyzed.status());
}

inline connectors::SinkSpec SinkOf(const AnalyzedQuery& query, std::string format = "console") {
  connectors::SinkSpec sink;
  sink.format = std::move(format);
  sink.schema = query.schema;
  sink.output_mode = query.output_mode;
  return sink;
}

// "CLASS: message | underlined text", or "" where the query is fine.
inline std::string ErrorText(const std::string& query, connectors::OutputMode mode = kAppend) {
  auto analyzed = AnalyzeText(query, mode);
  if (analyzed.ok()) return "";
  const arrow::Status& status = analyzed.status();
  const ErrorDetail* detail = DetailOf(status);
  std::string place;
  if (detail != nullptr && detail->location) {
    place =
        detail->location->line_text.substr(detail->location->column - 1, detail->location->width);
  }
  EXPECT_EQ(ExitCodeOf(status), 3) << status.message();
  return ErrorClassOf(status) + ": " + status.message() + " | " + place;
}

}  // namespace tidemill::driver
