#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connectors/options.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// What the options of a file source say; names and defaults are Spark's but for the last.
// *Plain data.*
struct FileSourceOptions {
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

  bool has_limit() const { return max_files_per_trigger || max_bytes_per_trigger; }
};

arrow::Result<FileSourceOptions> ParseFileSourceOptions(const SourceSpec& spec);

enum class ParseMode { kPermissive, kDropMalformed, kFailFast };

// Options of a json source. *Plain data.*
struct JsonOptions {
  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_column = "_corrupt_record";
  bool allows_single_quotes = true;
  bool allows_non_numeric_numbers = true;  // NaN, Infinity, -INF without quotes
  bool infers_schema = false;
};

arrow::Result<JsonOptions> ParseJsonOptions(const SourceSpec& spec);

// ResolveSource of text and json.
arrow::Result<SourceSpec> ResolveFileSource(SourceSpec spec);

}  // namespace tidemill::connectors
