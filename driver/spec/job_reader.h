#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "driver/spec/job_spec.h"
#include "driver/spec/map_reader.h"
#include "driver/spec/yaml_node.h"

namespace tidemill::driver {

// Turns the YAML tree of a specification into jobs. Errors carry spans in the text. `text`,
// `directory` (absolute) and `overrides` must outlive this. *Thread-compatible.*
class JobReader {
 public:
  JobReader(const std::string& text, const std::string& directory,
            const std::map<std::string, std::string>& overrides)
      : text_(text), directory_(directory), overrides_(overrides) {}

  // `default_name` is for a job without a name, where it is the only one.
  arrow::Result<std::vector<JobSpec>> ReadJobs(const YamlNode& root,
                                               const std::string& default_name) const;

 private:
  arrow::Result<JobSpec> ReadJob(const YamlNode& node, const std::string& default_name) const;
  arrow::Status ReadSources(const YamlNode& node, JobSpec* job) const;
  arrow::Result<SourceDecl> ReadSource(const YamlNode& key, const YamlNode& node) const;
  arrow::Result<DropDuplicatesSpec> ReadDropDuplicates(const YamlNode& node,
                                                       const std::string& what) const;
  arrow::Result<WatermarkSpec> ReadWatermark(const YamlNode& node, const std::string& what) const;
  arrow::Status ReadSink(const YamlNode& node, JobSpec* job) const;
  arrow::Status ReadQuery(const MapReader& map, JobSpec* job) const;
  arrow::Status ReadParameters(const MapReader& map, JobSpec* job) const;
  arrow::Status ReadOutputMode(const MapReader& map, JobSpec* job) const;
  arrow::Status ReadTrigger(const MapReader& map, JobSpec* job) const;
  arrow::Status ReadSettings(const MapReader& map, JobSpec* job) const;
  // Reads `options` and `path` of a source or a sink.
  arrow::Status ReadOptions(const MapReader& map, const std::string& format,
                            Options* options) const;

  const std::string& text_;
  const std::string& directory_;
  const std::map<std::string, std::string>& overrides_;
};

}  // namespace tidemill::driver
