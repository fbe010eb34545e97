#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/options.h"
#include "common/types/corrupt_column.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// What the options of a file source say; names and defaults are Spark's but for the last.
// *Plain data.*
struct FileSourceOptions {
  // How a file becomes splits.
  enum class Cut {
    kLines,   // at any byte, unless it is compressed
    kNever,   // one split
    kRanges,  // at any byte, whatever its name says
  };

  std::string path;                              // a directory, a file or a glob of them
  std::optional<int64_t> max_files_per_trigger;  // not both
  std::optional<int64_t> max_bytes_per_trigger;
  bool latest_first = false;
  bool file_name_only = false;                            // a file is known by its base name only
  int64_t max_file_age_us = int64_t{7} * 86'400'000'000;  // behind the newest file seen
  int64_t max_cached_files = 10'000;  // listed and not taken yet, kept for the next epochs
  std::string path_glob_filter;       // on base names; "" for all
  bool is_recursive = false;
  std::string line_separator;  // "" for \n, \r\n and \r
  // splitBytes, ours, not for users: an uncompressed file is cut into splits of this size.
  int64_t split_bytes = int64_t{32} << 20;
  Cut cut = Cut::kLines;

  bool has_limit() const { return max_files_per_trigger || max_bytes_per_trigger; }
};

arrow::Result<FileSourceOptions> ParseFileSourceOptions(const SourceSpec& spec);

// An option that Spark has and we have not.
struct RefusedOption {
  std::string_view key;
  std::string_view only;  // the value that changes nothing, "" where every value does
};

// Refuses what no file source and this format do not know; `known` are the format's own options.
arrow::Status CheckFileOptionNames(const SourceSpec& spec,
                                   const std::vector<std::string_view>& known,
                                   const std::vector<RefusedOption>& refused);

enum class ParseMode { kPermissive, kDropMalformed, kFailFast };

// The option `mode`.
arrow::Result<ParseMode> ParseModeOf(const Options& options);
// The files to look at for a schema, by path.
arrow::Result<std::vector<FileInfo>> ListForInference(FileSystem* fs,
                                                      const FileSourceOptions& options);
// UNABLE_TO_INFER_SCHEMA; `format` as Spark writes it.
arrow::Status NothingToInferFrom(std::string_view format, std::string_view path);
// SCHEMA_NOT_SPECIFIED.
arrow::Status SchemaNotGiven();
// A text source or sink has one STRING column.
arrow::Status CheckTextSchema(const arrow::Schema& schema);

// Options of a json source. *Plain data.*
struct JsonOptions {
  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_column{kCorruptColumn};
  bool allows_single_quotes = true;
  bool allows_non_numeric_numbers = true;  // NaN, Infinity, -INF without quotes
  bool infers_schema = false;
};

arrow::Result<JsonOptions> ParseJsonOptions(const SourceSpec& spec);

// ResolveSource of text and json.
arrow::Result<SourceSpec> ResolveFileSource(SourceSpec spec);

}  // namespace tidemill::connectors
