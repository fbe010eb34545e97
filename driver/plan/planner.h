#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/sink.h"
#include "connectors/source.h"
#include "driver/epoch/watermark.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/spec/job_spec.h"

namespace tidemill::proto {
class PhysicalPlan;
}

namespace tidemill::driver {

// From a job's query to its physical plan, in two steps, because the sink is resolved between them:
//   AnalyzeQuery(spec, sources) -> schema of the result
//   sink.schema = analyzed.schema; ResolveSink(sink); NeedsOf(sink)
//   PlanStages(analyzed, sink, needs) -> stages, protobuf, fingerprint
// Both are pure functions. Errors are kInvalid with Spark's error classes and messages; their place
// is already resolved to the specification's text (LocateInQuery).

// A query that was understood: names, types and streaming rules are checked. *Plain data.*
struct AnalyzedQuery {
  std::string query;                      // its text
  LogicalPlanPtr analyzed;                // as written
  LogicalPlanPtr optimized;               // what the stages are made of
  std::shared_ptr<arrow::Schema> schema;  // of the result
  connectors::OutputMode output_mode = connectors::OutputMode::kAppend;
  std::string time_zone;
  int64_t state_ttl_us = 0;           // setting state.ttl
  int64_t broadcast_bytes = 0;        // up to which size a side of a join is broadcast
  std::vector<std::string> warnings;  // for people: a source that is declared and not used, ...
};

// `sources`: every declared source after ResolveSource, in any order. The session time zone is the
// setting `timeZone`, else UTC.
arrow::Result<AnalyzedQuery> AnalyzeQuery(const JobSpec& spec,
                                          const std::vector<connectors::SourceSpec>& sources);

// What is deployed. *Plain data.*
struct PlannedQuery {
  std::shared_ptr<const proto::PhysicalPlan> plan;
  // The sources that the plan reads, in the order of plan.sources: a source that the query reads
  // twice is here twice. Their drivers are made in this order.
  std::vector<connectors::SourceSpec> sources;
  // Hash64 of the plan without the query's text and the places of expressions: two plans with the
  // same fingerprint do the same.
  uint64_t fingerprint = 0;
  WatermarkGraph watermarks;  // how they flow through it
  std::string explanation;    // the text of `tidemill explain`
};

// `sink` is the result of ResolveSink.
arrow::Result<PlannedQuery> PlanStages(const AnalyzedQuery& query, const connectors::SinkSpec& sink,
                                       const connectors::SinkNeeds& needs);

}  // namespace tidemill::driver
