#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/options.h"
#include "connectors/sink.h"

namespace tidemill::driver {

enum class TriggerKind { kDefault, kProcessingTime, kOnce, kAvailableNow };

struct Trigger {
  TriggerKind kind = TriggerKind::kDefault;
  std::chrono::microseconds interval{0};  // of kProcessingTime
};

// A value that was read from a file, cut where it does not follow the file byte by byte (at the
// indentation of a block, at escapes): bytes from `value_begin` on stand in the file from
// `file_begin` on.
struct TextPiece {
  int32_t value_begin = 0;
  int32_t file_begin = 0;
};

// Where a piece of the specification stands in its file; for error messages.
struct SpecPlace {
  Span span;                      // byte offsets in the specification's text
  std::vector<TextPiece> pieces;  // of a text value, ascending; empty where it cannot be mapped
};

// The event time of a source and how late its rows may be.
struct WatermarkSpec {
  std::string column;
  int64_t delay_us = 0;  // not negative
  SpecPlace column_place;
  SpecPlace delay_place;
};

// Rows of a source that are equal in `columns` (in all of them where none is named) come once.
struct DropDuplicatesSpec {
  std::vector<std::string> columns;
  bool within_watermark = false;  // within the watermark's delay after the first one
};

struct SourceDecl {
  std::string name;
  std::string format;
  std::optional<std::string> schema;  // DDL
  SpecPlace schema_place;
  bool infer_schema = false;
  bool is_streaming = true;
  std::optional<WatermarkSpec> watermark;
  std::optional<DropDuplicatesSpec> drop_duplicates;
  Options options;  // path included, absolute
  SpecPlace place;
};

// A job as the user specified it, whatever the syntax. Paths are absolute. Names are not resolved
// yet.
struct JobSpec {
  std::string name;
  std::vector<SourceDecl> sources;
  std::string query;
  SpecPlace query_place;  // for LocateInQuery
  // The values of :name markers in the query, as the texts of SQL literals.
  std::map<std::string, std::string> parameters;
  std::string sink_format;
  Options sink_options;
  SpecPlace sink_place;
  connectors::OutputMode output_mode = connectors::OutputMode::kAppend;
  SpecPlace output_mode_place;
  Trigger trigger;
  // One pass over tables that do not change, read to their ends in one epoch (`tidemill sql`): what
  // only streams cannot do is allowed, and the output mode follows from the query.
  bool is_bounded = false;
  std::optional<std::string> checkpoint;  // absolute
  // What was set, checked, by canonical names (Spark's names mapped); Settings::Make(settings) has
  // the rest too.
  std::map<std::string, std::string> settings;

  std::string file;  // as the user named it
  std::string text;  // whole specification, for carets
};

// Reads a job specification: a SQL script where the name ends in .sql (interface: "Job
// specification, SQL"), else YAML. `overrides` are --conf k=v and win over the file's settings.
// Relative paths are taken from the current directory. Errors (kInvalid, exit code 3; kNotFound for
// a missing file) carry file, line, caret and the nearest valid key.
arrow::Result<std::vector<JobSpec>> ReadJobFile(
    const std::string& path, const std::map<std::string, std::string>& overrides);

// The same for a text that is known to the user as `file`; `directory` is what relative paths are
// relative to, and absolute itself.
arrow::Result<std::vector<JobSpec>> ReadJobText(
    const std::string& text, const std::string& file, const std::string& directory,
    const std::map<std::string, std::string>& overrides);

// Gives an error about the query, with a span in `spec.query`, its place in the file. Where the
// query cannot be mapped back (rare escapes), its own text is shown under "query of <file>".
arrow::Status LocateInQuery(const JobSpec& spec, const arrow::Status& status);

// Gives an error about the value at `place` (a schema, the sink, ...) its place in the file. A span
// that the status has is taken to be inside that value where `place` has pieces, and else dropped
// for the whole value.
arrow::Status LocateInSpec(const JobSpec& spec, const arrow::Status& status,
                           const SpecPlace& place);

}  // namespace tidemill::driver
