#pragma once

#include <arrow/result.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "connectors/options.h"
#include "connectors/sink.h"

namespace tidemill::driver {

enum class TriggerKind { kDefault, kProcessingTime, kOnce, kAvailableNow };

struct Trigger {
  TriggerKind kind = TriggerKind::kDefault;
  std::chrono::microseconds interval{0};  // of kProcessingTime
};

// Where a piece of the specification stands in its file; for error messages.
struct SpecPlace {
  Span span;  // byte offsets in the specification's text
};

struct SourceDecl {
  std::string name;
  std::string format;
  std::optional<std::string> schema;  // DDL
  SpecPlace schema_place;
  bool infer_schema = false;
  bool is_streaming = true;
  connectors::Options options;  // path included, absolute
  SpecPlace place;
};

// A job as the user specified it, whatever the syntax. Paths are absolute. Names are not resolved
// yet.
struct JobSpec {
  std::string name;
  std::vector<SourceDecl> sources;
  std::string query;
  int32_t query_offset =
      0;  // where the query's text begins in `text`, when it stands there verbatim
  bool query_is_verbatim = false;
  std::string sink_format;
  connectors::Options sink_options;
  SpecPlace sink_place;
  connectors::OutputMode output_mode = connectors::OutputMode::kAppend;
  SpecPlace output_mode_place;
  Trigger trigger;
  std::optional<std::string> checkpoint;        // absolute
  std::map<std::string, std::string> settings;  // validated names, canonical (Spark's names mapped)

  std::string file;  // as the user named it
  std::string text;  // whole specification, for carets
};

// Reads a YAML job specification (interface: "Job specification, YAML"). `overrides` are --conf
// k=v. Relative paths are taken from the current directory. Errors (kInvalid, exit code 3) carry
// file, line, caret and the nearest valid key.
arrow::Result<std::vector<JobSpec>> ReadJobFile(
    const std::string& path, const std::map<std::string, std::string>& overrides);

}  // namespace tidemill::driver
