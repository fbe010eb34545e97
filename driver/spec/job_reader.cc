#include "driver/spec/job_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "driver/spec/settings.h"

namespace tidemill::driver {

namespace {

constexpr std::array<std::string_view, 5> kFileFormats = {"text", "json", "csv", "parquet", "orc"};

bool IsFileFormat(std::string_view format) {
  return std::find(kFileFormats.begin(), kFileFormats.end(), format) != kFileFormats.end();
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  return text;
}

arrow::Status BadValue(std::string_view key, std::string_view value, Span span,
                       const std::vector<std::string_view>& allowed) {
  const std::string nearest = NearestName(value, allowed);
  return SpecError("BAD_VALUE", fmt::format("bad value of {}: {}", key, value), span,
                   nearest.empty() ? fmt::format("{} is {}", key, fmt::join(allowed, ", "))
                                   : fmt::format("did you mean {}?", nearest));
}

}  // namespace

std::string JobReader::Absolute(const std::string& path) const {
  const bool has_scheme = path.find(':') < path.find('/') && path.find('/') != std::string::npos;
  if (has_scheme) return path;
  std::filesystem::path joined = std::filesystem::path(directory_) / path;
  std::string normal = joined.lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

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
                                     {"name", "sources", "query", "sink", "outputMode", "trigger",
                                      "checkpointLocation", "settings"}));
  JobSpec job;
  job.name = default_name;
  if (map.Has("name")) {
    ARROW_ASSIGN_OR_RAISE(job.name, map.GetText("name"));
  }
  ARROW_RETURN_NOT_OK(ReadQuery(map, &job));
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
    job.checkpoint = Absolute(path);
  }
  ARROW_RETURN_NOT_OK(ReadSettings(map, &job));
  return job;
}

arrow::Status JobReader::ReadQuery(const MapReader& map, JobSpec* job) const {
  ARROW_ASSIGN_OR_RAISE(job->query, map.GetText("query"));
  job->query_place = map.PlaceOf("query");
  job->query_is_verbatim = job->query_place.pieces.size() == 1;
  if (job->query_is_verbatim) job->query_offset = job->query_place.pieces[0].file_begin;
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
  ARROW_ASSIGN_OR_RAISE(
      MapReader map,
      MapReader::Make(node, text_, fmt::format("source {}", source.name),
                      {"format", "path", "schema", "inferSchema", "watermark", "mode", "options"}));
  ARROW_ASSIGN_OR_RAISE(source.format, map.GetText("format"));
  source.format = Lower(source.format);
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
  ARROW_RETURN_NOT_OK(RefuseWatermark(map));
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

arrow::Status JobReader::RefuseWatermark(const MapReader& source) const {
  if (!source.Has("watermark")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(*source.Find("watermark"), text_,
                                        "watermark of " + source.what(), {"column", "delay"}));
  ARROW_RETURN_NOT_OK(map.GetText("column").status());
  ARROW_RETURN_NOT_OK(map.GetText("delay").status());
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.WATERMARK",
                   "event time (watermark) is not supported yet", source.KeySpan("watermark"));
}

arrow::Status JobReader::ReadSink(const YamlNode& node, JobSpec* job) const {
  ARROW_ASSIGN_OR_RAISE(MapReader map,
                        MapReader::Make(node, text_, "sink", {"format", "path", "options"}));
  ARROW_ASSIGN_OR_RAISE(job->sink_format, map.GetText("format"));
  job->sink_format = Lower(job->sink_format);
  job->sink_place = {map.Find("format")->span, {}};
  return ReadOptions(map, job->sink_format, &job->sink_options);
}

arrow::Status JobReader::ReadOptions(const MapReader& map, const std::string& format,
                                     connectors::Options* options) const {
  const auto set = [&](const std::string& key, const std::string& value) {
    const bool is_path = Lower(key) == "path" && IsFileFormat(format);
    options->Set(key, is_path ? Absolute(value) : value);
  };
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
      set(key.scalar, value.scalar);
    }
  }
  if (!map.Has("path")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string path, map.GetText("path"));
  if (options->Has("path")) {
    return SpecError("BAD_VALUE", fmt::format("{} has both path and options.path", map.what()),
                     map.KeySpan("path"), "they mean the same: write one of them");
  }
  set("path", path);
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadOutputMode(const MapReader& map, JobSpec* job) const {
  job->output_mode_place = {map.span(), {}};
  if (!map.Has("outputMode")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string mode, map.GetText("outputMode"));
  job->output_mode_place = {map.Find("outputMode")->span, {}};
  const std::string lower = Lower(mode);
  if (lower == "append") {
    job->output_mode = connectors::OutputMode::kAppend;
  } else if (lower == "update") {
    job->output_mode = connectors::OutputMode::kUpdate;
  } else if (lower == "complete") {
    job->output_mode = connectors::OutputMode::kComplete;
  } else {
    return BadValue("outputMode", mode, map.Find("outputMode")->span,
                    {"append", "update", "complete"});
  }
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadTrigger(const MapReader& map, JobSpec* job) const {
  const YamlNode* node = map.Find("trigger");
  if (node == nullptr) return arrow::Status::OK();
  if (node->kind == YamlNode::Kind::kMap) {
    ARROW_ASSIGN_OR_RAISE(MapReader trigger,
                          MapReader::Make(*node, text_, "trigger", {"processingTime"}));
    ARROW_ASSIGN_OR_RAISE(const std::string text, trigger.GetText("processingTime"));
    return ReadProcessingTime(text, trigger.Find("processingTime")->span, &job->trigger);
  }
  ARROW_ASSIGN_OR_RAISE(const std::string text, map.GetText("trigger"));
  if (text == "available-now") {
    job->trigger.kind = TriggerKind::kAvailableNow;
  } else if (text == "once") {
    job->trigger.kind = TriggerKind::kOnce;
  } else if (text.find_first_of("0123456789") != std::string::npos) {
    return ReadProcessingTime(text, node->span, &job->trigger);
  } else {
    return BadValue("trigger", text, node->span,
                    {"available-now", "once", "{processingTime: 1 second}"});
  }
  return arrow::Status::OK();
}

arrow::Status JobReader::ReadProcessingTime(const std::string& text, Span span,
                                            Trigger* trigger) const {
  connectors::Options options;
  options.Set("processingTime", text);
  const auto micros = options.GetDurationMicros("processingTime", 0);
  if (!micros.ok()) {
    return SpecError("BAD_VALUE", fmt::format("bad value of processingTime: {}", text), span,
                     "a duration such as 250ms, 1 second or 5 minutes");
  }
  trigger->kind = TriggerKind::kProcessingTime;
  trigger->interval = std::chrono::microseconds(*micros);
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
