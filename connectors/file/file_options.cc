#include "connectors/file/file_options.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/corrupt_column.h"
#include "common/types/ddl.h"
#include "connectors/file/file_listing.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

const std::vector<RefusedOption>& RefusedByFiles() {
  static const std::vector<RefusedOption> refused = {
      {"cleanSource", "off"},          {"sourceArchiveDir", ""}, {"modifiedBefore", ""},
      {"modifiedAfter", ""},           {"basePath", ""},         {"ignoreMissingFiles", "false"},
      {"encoding", "UTF-8"},           {"charset", "UTF-8"},     {"compression", ""},
      {"ignoreCorruptFiles", "false"},
  };
  return refused;
}

const std::vector<RefusedOption>& RefusedByJson() {
  static const std::vector<RefusedOption> refused = {
      {"multiLine", "false"},
      {"primitivesAsString", "false"},
      {"prefersDecimal", "false"},
      {"allowComments", "false"},
      {"allowUnquotedFieldNames", "false"},
      {"allowNumericLeadingZeros", "false"},
      {"allowBackslashEscapingAnyCharacter", "false"},
      {"allowUnquotedControlChars", "false"},
      {"dateFormat", ""},
      {"timestampFormat", ""},
      {"timestampNTZFormat", ""},
      {"timeZone", ""},
      {"locale", "en-US"},
      {"samplingRatio", "1.0"},
      {"dropFieldIfAllNull", "false"},
      {"singleVariantColumn", ""},
  };
  return refused;
}

arrow::Status CheckNames(const SourceSpec& spec) {
  if (spec.format != "json")
    return CheckFileOptionNames(spec, {"lineSep"}, {{"wholetext", "false"}});
  return CheckFileOptionNames(spec,
                              {"lineSep", "mode", "columnNameOfCorruptRecord", "allowSingleQuotes",
                               "allowNonNumericNumbers", "inferSchema"},
                              RefusedByJson());
}

// The types that a record can be decoded to.
arrow::Status CheckJsonType(const arrow::DataType& type, const std::string& field) {
  if (type.id() == arrow::Type::MAP &&
      static_cast<const arrow::MapType&>(type).key_type()->id() != arrow::Type::STRING) {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                     fmt::format("The JSON datasource doesn't support the column `{}` of the type "
                                 "\"{}\".",
                                 field, SqlTypeName(type)));
  }
  for (const auto& child : type.fields()) {
    ARROW_RETURN_NOT_OK(CheckJsonType(*child->type(), field));
  }
  return arrow::Status::OK();
}

arrow::Result<SourceSpec> ResolveText(SourceSpec spec) {
  if (spec.schema == nullptr) {
    spec.schema = arrow::schema({arrow::field("value", arrow::utf8())});
    return spec;
  }
  ARROW_RETURN_NOT_OK(CheckTextSchema(*spec.schema));
  return spec;
}

arrow::Result<SourceSpec> ResolveJson(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const JsonOptions options, ParseJsonOptions(spec));
  if (spec.schema == nullptr) {
    return options.infers_schema ? arrow::Result<SourceSpec>(std::move(spec)) : SchemaNotGiven();
  }
  for (const auto& field : spec.schema->fields()) {
    ARROW_RETURN_NOT_OK(CheckJsonType(*field->type(), field->name()));
    ARROW_RETURN_NOT_OK(CheckCorruptColumn(*field, options.corrupt_column));
  }
  return spec;
}

}  // namespace

arrow::Status CheckFileOptionNames(const SourceSpec& spec,
                                   const std::vector<std::string_view>& known,
                                   const std::vector<RefusedOption>& refused) {
  std::vector<std::string_view> names = {
      "path",           "maxFilesPerTrigger", "maxBytesPerTrigger",  "latestFirst",
      "fileNameOnly",   "maxFileAge",         "maxCachedFiles",      "discardCachedInputRatio",
      "pathGlobFilter", "splitBytes",         "recursiveFileLookup",
  };
  names.insert(names.end(), known.begin(), known.end());
  std::vector<RefusedOption> all_refused = RefusedByFiles();
  all_refused.insert(all_refused.end(), refused.begin(), refused.end());
  for (const RefusedOption& option : all_refused) {
    ARROW_RETURN_NOT_OK(spec.options.RequireOnly(option.key, option.only, spec.format));
    names.push_back(option.key);
  }
  return spec.options.RequireKnown(names, spec.format);
}

arrow::Result<ParseMode> ParseModeOf(const Options& options) {
  std::string mode = options.GetString("mode", "PERMISSIVE");
  for (char& c : mode) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (mode == "PERMISSIVE") return ParseMode::kPermissive;
  if (mode == "DROPMALFORMED") return ParseMode::kDropMalformed;
  if (mode == "FAILFAST") return ParseMode::kFailFast;
  return MakeError(
      ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
      fmt::format("option mode: must be PERMISSIVE, DROPMALFORMED or FAILFAST: value={}", mode));
}

arrow::Result<std::vector<FileInfo>> ListForInference(FileSystem* fs,
                                                      const FileSourceOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto files, ListInputFiles(fs, {.path = options.path,
                                                        .name_filter = options.path_glob_filter,
                                                        .is_recursive = options.is_recursive}));
  std::sort(files.begin(), files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return files;
}

arrow::Status NothingToInferFrom(std::string_view format, std::string_view path) {
  return WithHint(MakeError(ErrorKind::kInvalid, "UNABLE_TO_INFER_SCHEMA",
                            fmt::format("Unable to infer schema for {}. It must be specified "
                                        "manually. path={}",
                                        format, path)),
                  "give the source a schema, or put an example file there first");
}

arrow::Status SchemaNotGiven() {
  return WithHint(MakeError(ErrorKind::kInvalid, "SCHEMA_NOT_SPECIFIED",
                            "Schema must be specified when creating a streaming source DataFrame."),
                  "give the source a schema, or inferSchema: true");
}

arrow::Status CheckTextSchema(const arrow::Schema& schema) {
  if (schema.num_fields() != 1) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SCHEMA",
                     fmt::format("Text data source supports only a single column, and you have {} "
                                 "columns.",
                                 schema.num_fields()));
  }
  const auto& field = schema.field(0);
  if (field->type()->id() == arrow::Type::STRING) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInvalid, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
      fmt::format("The Text datasource doesn't support the column `{}` of the type \"{}\".",
                  field->name(), SqlTypeName(*field->type())));
}

arrow::Result<FileSourceOptions> ParseFileSourceOptions(const SourceSpec& spec) {
  const Options& options = spec.options;
  FileSourceOptions parsed;
  parsed.path = options.GetString("path", "");
  if (parsed.path.empty()) {
    return MakeError(ErrorKind::kInvalid, "MISSING_OPTION",
                     fmt::format("source needs the option path: format={}", spec.format));
  }
  if (options.Has("maxFilesPerTrigger")) {
    ARROW_ASSIGN_OR_RAISE(parsed.max_files_per_trigger,
                          options.GetInt("maxFilesPerTrigger", 0, 1, kNoLimit));
  }
  if (options.Has("maxBytesPerTrigger")) {
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, options.GetBytes("maxBytesPerTrigger", 0));
    if (bytes < 1) {
      return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                       "option maxBytesPerTrigger: must be at least one byte");
    }
    parsed.max_bytes_per_trigger = bytes;
  }
  if (parsed.max_files_per_trigger && parsed.max_bytes_per_trigger) {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     "Options maxFilesPerTrigger and maxBytesPerTrigger can't be both set at the "
                     "same time");
  }
  ARROW_ASSIGN_OR_RAISE(parsed.latest_first, options.GetBool("latestFirst", false));
  ARROW_ASSIGN_OR_RAISE(parsed.file_name_only, options.GetBool("fileNameOnly", false));
  ARROW_ASSIGN_OR_RAISE(
      parsed.max_file_age_us,
      options.GetDurationMicros("maxFileAge", parsed.max_file_age_us, /*bare_unit=*/"ms"));
  if (parsed.latest_first && parsed.has_limit()) parsed.max_file_age_us = kNoLimit;
  ARROW_ASSIGN_OR_RAISE(parsed.max_cached_files,
                        options.GetInt("maxCachedFiles", parsed.max_cached_files, 0, kNoLimit));
  parsed.path_glob_filter = options.GetString("pathGlobFilter", "");
  ARROW_ASSIGN_OR_RAISE(parsed.is_recursive, options.GetBool("recursiveFileLookup", false));
  parsed.line_separator = options.GetString("lineSep", "");
  if (options.Has("lineSep") && parsed.line_separator.empty()) {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     "option lineSep: 'lineSep' cannot be an empty string.");
  }
  if (parsed.line_separator.size() > 1 || parsed.line_separator[0] < 0) {
    return WithHint(MakeError(ErrorKind::kInvalid, "UNSUPPORTED_OPTION",
                              "option lineSep: only one ASCII character is supported yet"),
                    "without lineSep \\n, \\r and \\r\\n end a line");
  }
  ARROW_ASSIGN_OR_RAISE(parsed.split_bytes, options.GetBytes("splitBytes", parsed.split_bytes));
  parsed.split_bytes = std::max<int64_t>(parsed.split_bytes, 1);
  if (spec.format == "parquet" || spec.format == "orc") {
    parsed.cut = FileSourceOptions::Cut::kRanges;
  } else if (spec.format == "csv") {
    ARROW_ASSIGN_OR_RAISE(const bool is_multi_line, options.GetBool("multiLine", false));
    if (is_multi_line) parsed.cut = FileSourceOptions::Cut::kNever;
  }
  return parsed;
}

arrow::Result<JsonOptions> ParseJsonOptions(const SourceSpec& spec) {
  const Options& options = spec.options;
  JsonOptions parsed;
  ARROW_ASSIGN_OR_RAISE(parsed.mode, ParseModeOf(options));
  parsed.corrupt_column = options.GetString("columnNameOfCorruptRecord", parsed.corrupt_column);
  ARROW_ASSIGN_OR_RAISE(parsed.allows_single_quotes, options.GetBool("allowSingleQuotes", true));
  ARROW_ASSIGN_OR_RAISE(parsed.allows_non_numeric_numbers,
                        options.GetBool("allowNonNumericNumbers", true));
  ARROW_ASSIGN_OR_RAISE(parsed.infers_schema, options.GetBool("inferSchema", false));
  return parsed;
}

arrow::Result<SourceSpec> ResolveFileSource(SourceSpec spec) {
  ARROW_RETURN_NOT_OK(CheckNames(spec));
  ARROW_RETURN_NOT_OK(ParseFileSourceOptions(spec).status());
  return spec.format == "text" ? ResolveText(std::move(spec)) : ResolveJson(std::move(spec));
}

}  // namespace tidemill::connectors
