#include "driver/job/plan_job.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/clock.h"
#include "common/types/ddl.h"
#include "connectors/source.h"
#include "driver/log/checkpoint_dir.h"
#include "driver/spec/settings.h"
#include "driver/sql/parser.h"

namespace tidemill::driver {

namespace {

// Schemas that an existing checkpoint is tied to: what was inferred once is not inferred again.
arrow::Result<std::map<std::string, std::string>> FrozenSchemas(const JobSpec& spec,
                                                                FileSystem* fs) {
  if (!spec.checkpoint) return std::map<std::string, std::string>();
  ARROW_ASSIGN_OR_RAISE(std::optional<FrozenSettings> frozen,
                        ReadFrozenSettings(fs, *spec.checkpoint));
  return frozen ? frozen->schemas : std::map<std::string, std::string>();
}

// Without a file system only what the specification itself says is known: a schema that is to be
// inferred stays null.
class SourceResolver {
 public:
  SourceResolver(const JobSpec& spec, const Settings& settings, FileSystem* fs)
      : spec_(spec), settings_(settings), fs_(fs) {}

  arrow::Result<connectors::SourceSpec> Resolve(const SourceDecl& declaration);

  std::map<std::string, std::string> inferred_schemas;

 private:
  // Finds what a run would miss at once, such as a path that does not exist, and how much a table
  // holds that is read whole.
  arrow::Status LookAtInput(connectors::SourceSpec* source);
  arrow::Status Infer(connectors::SourceSpec* source);

  const JobSpec& spec_;
  const Settings& settings_;
  FileSystem* const fs_;
  std::optional<std::map<std::string, std::string>> frozen_;
};

arrow::Result<connectors::SourceSpec> SourceResolver::Resolve(const SourceDecl& declaration) {
  connectors::SourceSpec source;
  source.name = declaration.name;
  source.format = declaration.format;
  source.options = declaration.options;
  source.is_streaming = declaration.is_streaming;
  if (declaration.schema) {
    auto schema = ParseDdlSchema(*declaration.schema);
    if (!schema.ok()) {
      return LocateInSpec(spec_,
                          WithContext(schema.status(), "schema of source " + declaration.name),
                          declaration.schema_place);
    }
    source.schema = *std::move(schema);
  }
  if (declaration.infer_schema) source.options.Set("inferSchema", "true");
  auto resolved = connectors::ResolveSource(std::move(source));
  if (!resolved.ok()) return LocateInSpec(spec_, resolved.status(), declaration.place);
  // Only file sources have a path, and are cut into splits.
  if (resolved->options.Has("path")) {
    resolved->options.Set("splitBytes", std::to_string(settings_.split_bytes()));
  }
  if (fs_ == nullptr) return resolved;
  arrow::Status exists = LookAtInput(&*resolved);
  if (!exists.ok()) return LocateInSpec(spec_, exists, declaration.place);
  if (resolved->schema == nullptr) {
    arrow::Status inferred = Infer(&*resolved);
    if (!inferred.ok()) return LocateInSpec(spec_, inferred, declaration.place);
  }
  return resolved;
}

arrow::Status SourceResolver::LookAtInput(connectors::SourceSpec* source) {
  if (!source->options.Has("path")) return arrow::Status::OK();
  connectors::SourceDriverContext context;
  context.fs = fs_;
  context.clock = Clock::System();
  ARROW_ASSIGN_OR_RAISE(const auto driver, connectors::MakeSourceDriver(*source, context));
  if (source->is_streaming) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto input, driver->Next(connectors::ReadLimit::All()));
  source->bytes = 0;
  for (const connectors::Split& split : input.splits) *source->bytes += split.end - split.begin;
  return arrow::Status::OK();
}

arrow::Status SourceResolver::Infer(connectors::SourceSpec* source) {
  if (!frozen_) {
    ARROW_ASSIGN_OR_RAISE(frozen_, FrozenSchemas(spec_, fs_));
  }
  if (const auto found = frozen_->find(source->name); found != frozen_->end()) {
    ARROW_ASSIGN_OR_RAISE(source->schema, ParseDdlSchema(found->second));
  } else {
    ARROW_ASSIGN_OR_RAISE(source->schema, connectors::InferSchema(*source, fs_));
  }
  inferred_schemas[source->name] = DdlOf(*source->schema);
  return arrow::Status::OK();
}

arrow::Result<connectors::SinkSpec> ResolveSinkOf(const JobSpec& spec,
                                                  const AnalyzedQuery& analyzed) {
  connectors::SinkSpec sink;
  sink.format = spec.sink_format;
  sink.options = spec.sink_options;
  sink.schema = analyzed.schema;
  sink.output_mode = analyzed.output_mode;
  sink.job_name = spec.name;
  auto resolved = connectors::ResolveSink(std::move(sink));
  return resolved.ok() ? resolved : LocateInSpec(spec, resolved.status(), spec.sink_place);
}

// An epoch of a processingTime trigger has the whole interval; of once and available-now it takes
// all there is.
std::chrono::microseconds EpochTarget(std::chrono::microseconds target, const Trigger& trigger) {
  const bool is_endless =
      trigger.kind == TriggerKind::kDefault || trigger.kind == TriggerKind::kProcessingTime;
  if (!is_endless || target.count() == 0) return {};
  return std::max(target, trigger.interval);
}

}  // namespace

arrow::Status CheckJob(const JobSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const Settings settings, Settings::Make(spec.settings));
  SourceResolver resolver(spec, settings, /*fs=*/nullptr);
  std::vector<connectors::SourceSpec> sources;
  bool knows_schemas = true;
  for (const SourceDecl& declaration : spec.sources) {
    ARROW_ASSIGN_OR_RAISE(auto source, resolver.Resolve(declaration));
    knows_schemas = knows_schemas && source.schema != nullptr;
    sources.push_back(std::move(source));
  }
  if (!knows_schemas) return LocateInQuery(spec, sql::ParseQuery(spec.query).status());
  ARROW_ASSIGN_OR_RAISE(const AnalyzedQuery analyzed, AnalyzeQuery(spec, sources));
  ARROW_ASSIGN_OR_RAISE(const connectors::SinkSpec sink, ResolveSinkOf(spec, analyzed));
  return PlanStages(analyzed, sink, connectors::NeedsOf(sink)).status();
}

arrow::Result<PlannedJob> PlanJob(const JobSpec& spec, FileSystem* fs) {
  ARROW_ASSIGN_OR_RAISE(Settings settings, Settings::Make(spec.settings));
  SourceResolver resolver(spec, settings, fs);
  std::vector<connectors::SourceSpec> sources;
  for (const SourceDecl& declaration : spec.sources) {
    ARROW_ASSIGN_OR_RAISE(auto source, resolver.Resolve(declaration));
    sources.push_back(std::move(source));
  }
  ARROW_ASSIGN_OR_RAISE(AnalyzedQuery analyzed, AnalyzeQuery(spec, sources));

  PlannedJob job;
  ARROW_ASSIGN_OR_RAISE(job.sink, ResolveSinkOf(spec, analyzed));
  ARROW_ASSIGN_OR_RAISE(job.query, PlanStages(analyzed, job.sink, connectors::NeedsOf(job.sink)));
  job.inferred_schemas = std::move(resolver.inferred_schemas);
  job.warnings = std::move(analyzed.warnings);
  return job;
}

arrow::Result<JobDefinition> MakeDefinition(const JobSpec& spec, const PlannedJob& planned) {
  ARROW_ASSIGN_OR_RAISE(Settings settings, Settings::Make(spec.settings));
  JobDefinition definition;
  definition.name = spec.name;
  definition.plan = planned.query.plan;
  definition.trigger = spec.trigger;
  definition.watermarks = planned.query.watermarks;
  definition.settings.key_groups = static_cast<uint32_t>(settings.key_groups());
  definition.settings.sink_shards = static_cast<uint32_t>(settings.sink_shards());
  definition.settings.time_zone = settings.time_zone();
  definition.settings.watermark_policy = settings.watermark_policy();
  definition.settings.schemas = planned.inferred_schemas;
  definition.checkpoint = spec.checkpoint.value_or("");
  definition.base_interval = settings.base_interval();
  definition.target_duration = EpochTarget(settings.target_duration(), spec.trigger);
  definition.changelog_codec = settings.changelog_codec();
  definition.snapshot_min_bytes = settings.snapshot_min_bytes();
  definition.snapshot_ratio = settings.snapshot_ratio();

  return definition;
}

}  // namespace tidemill::driver
