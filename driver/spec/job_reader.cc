#include "driver/spec/job_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/base/ascii.h"
#include "common/types/interval/interval.h"
#include "driver/spec/job_values.h"
#include "driver/spec/literal_value.h"
#include "driver/spec/settings.h"

namespace tidemill::driver {

namespace {

// A duration as options have them ("90s"), or an interval of Spark's, whose months count 31 days.
std::optional<int64_t> DelayMicros(const std::string& text) {
  Options options;
  options.Set("delay", text);
  if (const auto micros = options.GetDurationMicros("delay", 0); micros.ok()) return *micros;
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
  const auto interval = ParseInterval(text);
  int64_t micros = 0;
  if (!interval.ok() ||
      __builtin_mul_overflow(int64_t{interval->months} * 31 + interval->days, kDay, &micros) ||
      __builtin_add_overflow(micros, interval->microseconds, &micros)) {
    return std::nullopt;
  }
  return micros;
}

}  // namespace

arrow::Result<std::vector<JobSpec>> JobReader::ReadJobs(const YamlNode& root,
                                                        const std::string& default_name) const {
  std::vector<JobSpec> jobs;
  const bool is_list =
      root.kind == YamlNode::Kind::kMap &&
      std::any_of(root.entries.begin(), root.entries.end(),
                  [](const YamlEntry& entry) { return entry.key.scalar == "jobs"; });
  if (!is_list) {
    ARROW_ASSIGN_OR_RAISE(JobSpec job, ReadJob(root, default_name));
    jobs.push_back(std::move(job));
    return jobs;
  }
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(root, text_, "a specification of several jobs", {"jobs"}));
  const YamlNode& list = *map.Find("jobs");
  if (list.kind != YamlNode::Kind::kSequence || list.items.empty()) {
    return SpecError("WRONG_TYPE", fmt::format("jobs must be a list: got {}", KindName(list)),
                     map.KeySpan("jobs"));
  }
  std::set<std::string> names;
  for (const YamlNode& item : list.items) {
    ARROW_ASSIGN_OR_RAISE(JobSpec job, ReadJob(item, list.items.size() == 1 ? default_name : ""));
    if (job.name.empty()) {
      return SpecError("MISSING_KEY", "missing key: name in a job that is one of several",
                       item.span);
    }
    if (!names.insert(job.name).second) {
      return SpecError("BAD_VALUE", fmt::format("two jobs have one name: {}", job.name), item.span);
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

arrow::Result<JobSpec> JobReader::ReadJob(const YamlNode& node,
                                          const std::string& default_name) const {
  ARROW_ASSIGN_OR_RAISE(
      MapReader map, MapReader::Make(node, text_, "the job",
                                     {"name", "sources", "query", "sink", "parameters",
                                      "outputMode", "trigger", "checkpointLocation", "settings"}));
  JobSpec job;
  job.name = default_name;
  if (map.Has("name")) {
    ARROW_ASSIGN_OR_RAISE(job.name, map.GetText("name"));
  }
  ARROW_RETURN_NOT_OK(ReadQuery(map, &job));
  ARROW_RETURN_NOT_OK(ReadParameters(map, &job));
  if (map.Has("sources")) ARROW_RETURN_NOT_OK(ReadSources(*map.Find("sources"), &job));
  if (!map.Has("sink")) {
    return SpecError("MISSING_KEY", "missing key: sink in the job", map.span(),
                     "sink: {format: console} prints the rows");
  }
  ARROW_RETURN_NOT_OK(ReadSink(*map.Find("sink"), &job));
  ARROW_RETURN_NOT_OK(ReadOutputMode(map, &job));
  ARROW_RETURN_NOT_OK(ReadTrigger(map, &job));
  if (map.Has("checkpointLocation")) {
    ARROW_ASSIGN_OR_RAISE(std::string path, map.GetText("checkpointLocation"));
    job.checkpoint = AbsolutePath(directory_, path);
  }
  ARROW_RETURN_NOT_OK(ReadSettings(map, &job));
  return job;
}

arrow::Status JobReader::ReadQuery(const MapReader& map, JobSpec* job) const {
  ARROW_ASSIGN_OR_RAISE(job->query, map.GetText("query"));
  job->query_place = map.PlaceOf("query");
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadParameters(const MapReader& map, JobSpec* job) const {
  const YamlNode* node = map.Find("parameters");
  if (node == nullptr || node->kind == YamlNode::Kind::kNull) return arrow::Status::OK();
  if (node->kind != YamlNode::Kind::kMap) {
    return SpecError("WRONG_TYPE", fmt::format("parameters must be a map: got {}", KindName(*node)),
                     node->span);
  }
  ARROW_RETURN_NOT_OK(CheckKeys(*node, text_, "parameters", /*ignore_case=*/false));
  for (const auto& [key, value] : node->entries) {
    ARROW_ASSIGN_OR_RAISE(job->parameters[key.scalar], LiteralOf(value, text_, key.scalar));
  }
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadSources(const YamlNode& node, JobSpec* job) const {
  if (node.kind != YamlNode::Kind::kMap) {
    return SpecError("WRONG_TYPE",
                     fmt::format("sources must be a map of table names: got {}", KindName(node)),
                     node.span);
  }
  ARROW_RETURN_NOT_OK(CheckKeys(node, text_, "sources", /*ignore_case=*/true));
  for (const auto& [key, value] : node.entries) {
    ARROW_ASSIGN_OR_RAISE(SourceDecl source, ReadSource(key, value));
    job->sources.push_back(std::move(source));
  }
  return arrow::Status::OK();
}

arrow::Result<SourceDecl> JobReader::ReadSource(const YamlNode& key, const YamlNode& node) const {
  SourceDecl source;
  source.name = key.scalar;
  source.place = {key.span, {}};
  if (source.name.empty()) {
    return SpecError("BAD_VALUE", "a source must have a name", key.span);
  }
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(node, text_, fmt::format("source {}", source.name),
                                        {"format", "path", "schema", "inferSchema", "watermark",
                                         "dropDuplicates", "mode", "options"}));
  ARROW_ASSIGN_OR_RAISE(source.format, map.GetText("format"));
  source.format = AsciiLower(source.format);
  if (map.Has("schema")) {
    ARROW_ASSIGN_OR_RAISE(source.schema, map.GetText("schema"));
    source.schema_place = map.PlaceOf("schema");
  }
  ARROW_ASSIGN_OR_RAISE(source.infer_schema, map.GetBool("inferSchema", false));
  if (source.infer_schema && source.schema) {
    return SpecError("BAD_VALUE",
                     fmt::format("source {} has both a schema and inferSchema", source.name),
                     map.KeySpan("inferSchema"));
  }
  if (map.Has("watermark")) {
    ARROW_ASSIGN_OR_RAISE(source.watermark,
                          ReadWatermark(*map.Find("watermark"), "watermark of " + map.what()));
  }
  if (map.Has("dropDuplicates")) {
    ARROW_ASSIGN_OR_RAISE(
        source.drop_duplicates,
        ReadDropDuplicates(*map.Find("dropDuplicates"), "dropDuplicates of " + map.what()));
  }
  if (map.Has("mode")) {
    ARROW_ASSIGN_OR_RAISE(const std::string mode, map.GetText("mode"));
    if (mode != "stream" && mode != "batch") {
      return BadValue("mode", mode, map.Find("mode")->span, {"stream", "batch"});
    }
    source.is_streaming = mode == "stream";
  }
  ARROW_RETURN_NOT_OK(ReadOptions(map, source.format, &source.options));
  return source;
}

arrow::Result<WatermarkSpec> JobReader::ReadWatermark(const YamlNode& node,
                                                      const std::string& what) const {
  ARROW_ASSIGN_OR_RAISE(MapReader map, MapReader::Make(node, text_, what, {"column", "delay"}));
  WatermarkSpec watermark;
  ARROW_ASSIGN_OR_RAISE(watermark.column, map.GetText("column"));
  watermark.column_place = map.PlaceOf("column");
  ARROW_ASSIGN_OR_RAISE(const std::string delay, map.GetText("delay"));
  watermark.delay_place = map.PlaceOf("delay");
  const std::optional<int64_t> micros = DelayMicros(delay);
  if (!micros || *micros < 0) {
    return SpecError("BAD_VALUE", fmt::format("bad value of delay: {}", delay),
                     map.Find("delay")->span,
                     "a duration that is not negative, such as 10 minutes");
  }
  watermark.delay_us = *micros;
  return watermark;
}

arrow::Result<DropDuplicatesSpec> JobReader::ReadDropDuplicates(const YamlNode& node,
                                                                const std::string& what) const {
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(node, text_, what, {"columns", "withinWatermark"}));
  DropDuplicatesSpec spec;
  if (const YamlNode* columns = map.Find("columns")) {
    if (columns->kind != YamlNode::Kind::kSequence) {
      return SpecError(
          "WRONG_TYPE",
          fmt::format("columns of {} must be a list: got {}", what, KindName(*columns)),
          columns->span);
    }
    for (const YamlNode& column : columns->items) {
      if (column.kind != YamlNode::Kind::kScalar) {
        return SpecError("WRONG_TYPE",
                         fmt::format("columns of {} must be names: got {}", what, KindName(column)),
                         column.span);
      }
      spec.columns.push_back(column.scalar);
    }
  }
  ARROW_ASSIGN_OR_RAISE(spec.within_watermark, map.GetBool("withinWatermark", false));
  return spec;
}

arrow::Status JobReader::ReadSink(const YamlNode& node, JobSpec* job) const {
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(node, text_, "sink", {"format", "path", "options"}));
  ARROW_ASSIGN_OR_RAISE(job->sink_format, map.GetText("format"));
  job->sink_format = AsciiLower(job->sink_format);
  job->sink_place = {map.Find("format")->span, {}};
  return ReadOptions(map, job->sink_format, &job->sink_options);
}

arrow::Status JobReader::ReadOptions(const MapReader& map, const std::string& format,
                                     Options* options) const {
  if (const YamlNode* node = map.Find("options"); node && node->kind != YamlNode::Kind::kNull) {
    const std::string what = "options of " + map.what();
    if (node->kind != YamlNode::Kind::kMap) {
      return SpecError("WRONG_TYPE", fmt::format("{} must be a map: got {}", what, KindName(*node)),
                       node->span);
    }
    ARROW_RETURN_NOT_OK(CheckKeys(*node, text_, what, /*ignore_case=*/true));
    for (const auto& [key, value] : node->entries) {
      if (value.kind != YamlNode::Kind::kScalar) {
        return SpecError("WRONG_TYPE",
                         fmt::format("option {} of {} must be a single value: got {}", key.scalar,
                                     map.what(), KindName(value)),
                         key.span);
      }
      SetOption(key.scalar, value.scalar, format, directory_, options);
    }
  }
  if (!map.Has("path")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string path, map.GetText("path"));
  if (options->Has("path")) {
    return SpecError("BAD_VALUE", fmt::format("{} has both path and options.path", map.what()),
                     map.KeySpan("path"), "they mean the same: write one of them");
  }
  SetOption("path", path, format, directory_, options);
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadOutputMode(const MapReader& map, JobSpec* job) const {
  job->output_mode_place = {map.span(), {}};
  if (!map.Has("outputMode")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string mode, map.GetText("outputMode"));
  job->output_mode_place = {map.Find("outputMode")->span, {}};
  ARROW_ASSIGN_OR_RAISE(job->output_mode,
                        driver::ReadOutputMode(mode, job->output_mode_place.span));
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadTrigger(const MapReader& map, JobSpec* job) const {
  const YamlNode* node = map.Find("trigger");
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind == YamlNode::Kind::kMap) {
    ARROW_ASSIGN_OR_RAISE(MapReader trigger,
                          MapReader::Make(*node, text_, "trigger", {"processingTime"}));
    ARROW_ASSIGN_OR_RAISE(const std::string text, trigger.GetText("processingTime"));
    ARROW_ASSIGN_OR_RAISE(job->trigger,
                          ReadProcessingTime(text, trigger.Find("processingTime")->span));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const std::string text, map.GetText("trigger"));
  ARROW_ASSIGN_OR_RAISE(job->trigger, driver::ReadTrigger(text, node->span));
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadSettings(const MapReader& map, JobSpec* job) const {
  Settings settings;
  const YamlNode* node = map.Find("settings");
  if (node != nullptr && node->kind != YamlNode::Kind::kNull) {
    if (node->kind != YamlNode::Kind::kMap) {
      return SpecError("WRONG_TYPE", fmt::format("settings must be a map: got {}", KindName(*node)),
                       node->span);
    }
    ARROW_RETURN_NOT_OK(CheckKeys(*node, text_, "settings", /*ignore_case=*/false));
    for (const auto& [key, value] : node->entries) {
      if (value.kind != YamlNode::Kind::kScalar) {
        return SpecError(
            "WRONG_TYPE",
            fmt::format("setting {} must be a single value: got {}", key.scalar, KindName(value)),
            key.span, "names of settings are dotted: state.key_groups");
      }
      const arrow::Status status = settings.Set(key.scalar, value.scalar);
      const bool is_value = ErrorClassOf(status) != "UNKNOWN_SETTING" &&
                            ErrorClassOf(status) != "UNSUPPORTED_SETTING";
      ARROW_RETURN_NOT_OK(WithSpan(status, is_value ? value.span : key.span));
    }
  }
  for (const auto& [name, value] : overrides_) {
    ARROW_RETURN_NOT_OK(WithContext(settings.Set(name, value), "--conf"));
  }
  ARROW_RETURN_NOT_OK(WithSpan(settings.Finish(), node ? node->span : map.span()));
  job->settings = settings.explicit_values();
  return arrow::Status::OK();
}

}  // namespace tidemill::driver
