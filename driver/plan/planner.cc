#include "driver/plan/planner.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/types/ddl.h"
#include "common/types/value_format.h"
#include "driver/plan/analyze/analyzer.h"
#include "driver/plan/analyze/streaming_checks.h"
#include "driver/plan/explain.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/optimizer.h"
#include "driver/plan/stages/plan_writer.h"
#include "driver/plan/stages/stage_planner.h"
#include "driver/plan/stages/state_ttl.h"
#include "driver/spec/settings.h"
#include "driver/sql/parameters.h"
#include "driver/sql/parser.h"
#include "driver/sql/query_tables.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

namespace {

std::vector<std::string> UnusedSources(const LogicalPlanPtr& plan,
                                       const std::vector<connectors::SourceSpec>& sources) {
  std::vector<std::string> warnings;
  for (const auto& source : sources) {
    bool is_used = false;
    ForEachNode(plan, [&](const LogicalPlanPtr& node) {
      if (node->kind != LogicalPlan::Kind::kRead) return;
      is_used = is_used || As<ReadNode>(*node).source.name == source.name;
    });
    if (is_used) continue;
    warnings.push_back(
        fmt::format("source is declared and not used by the query: name={}", source.name));
  }
  return warnings;
}

arrow::Result<AnalyzedQuery> AnalyzeText(const JobSpec& spec,
                                         const std::vector<connectors::SourceSpec>& sources) {
  AnalyzedQuery query;
  query.query = spec.query;
  query.output_mode = spec.output_mode;
  ARROW_ASSIGN_OR_RAISE(const Settings settings, Settings::Make(spec.settings));
  query.time_zone = settings.time_zone();
  query.broadcast_bytes = settings.broadcast_bytes();
  query.state_ttl_us = settings.state_ttl().count();
  ARROW_ASSIGN_OR_RAISE(auto zone, FindTimeZone(query.time_zone));

  ARROW_ASSIGN_OR_RAISE(auto select, sql::ParseQuery(query.query));
  ARROW_RETURN_NOT_OK(sql::BindParameters(spec.parameters, select.get()));
  AnalyzerContext context{sources, query.query, zone};
  context.is_bounded = spec.is_bounded;
  for (const SourceDecl& source : spec.sources) {
    if (source.drop_duplicates) {
      context.duplicates.push_back(
          {source.name, source.drop_duplicates->columns, source.drop_duplicates->within_watermark});
    }
    if (!source.watermark || !source.is_streaming) continue;
    context.watermarks.push_back(
        {source.name, source.watermark->column, source.watermark->delay_us});
  }
  ARROW_ASSIGN_OR_RAISE(query.analyzed, Analyze(*select, context));
  if (spec.is_bounded) {
    query.output_mode = BoundedOutputMode(query.analyzed);
    ARROW_RETURN_NOT_OK(CheckBounded(query.analyzed));
  } else {
    ARROW_RETURN_NOT_OK(CheckStreaming(query.analyzed, query.output_mode));
  }
  ARROW_ASSIGN_OR_RAISE(query.optimized, Optimize(query.analyzed, zone));
  query.schema = SchemaOf(query.analyzed->output);
  if (!SchemaOf(query.optimized->output)->Equals(*query.schema)) {
    return MakeError(ErrorKind::kBug, "INTERNAL_ERROR", "optimizer changed the result's schema");
  }
  query.warnings = UnusedSources(query.analyzed, sources);
  for (const std::string& hint : sql::UnknownHintsOf(*select)) {
    query.warnings.push_back(fmt::format("unrecognized hint, ignored: name={}", hint));
  }
  return query;
}

}  // namespace

arrow::Result<AnalyzedQuery> AnalyzeQuery(const JobSpec& spec,
                                          const std::vector<connectors::SourceSpec>& sources) {
  arrow::Result<AnalyzedQuery> query = AnalyzeText(spec, sources);
  return query.ok() ? query : LocateInQuery(spec, query.status());
}

arrow::Result<PlannedQuery> PlanStages(const AnalyzedQuery& query, const connectors::SinkSpec& sink,
                                       const connectors::SinkNeeds& needs) {
  ARROW_ASSIGN_OR_RAISE(StagedPlan stages, SplitIntoStages(query.optimized, query.output_mode,
                                                           needs, query.broadcast_bytes));
  if (query.state_ttl_us > 0) ARROW_RETURN_NOT_OK(LimitState(query.state_ttl_us, &stages));
  PlannedQuery planned;
  ARROW_ASSIGN_OR_RAISE(planned.plan, WritePlan(stages, sink, needs, query.time_zone, query.query));
  planned.fingerprint = FingerprintOf(*planned.plan);
  for (const LogicalPlanPtr& read : stages.reads) {
    planned.sources.push_back(As<ReadNode>(*read).source);
  }
  planned.watermarks = stages.watermarks;
  planned.explanation = fmt::format(
      "== Analyzed Logical Plan ==\n{}\n{}\n== Optimized Logical Plan ==\n{}\n== Stages ==\n{}",
      DdlOf(*query.schema), TreeText(query.analyzed), TreeText(query.optimized),
      StagesText(stages, sink));
  return planned;
}

}  // namespace tidemill::driver
