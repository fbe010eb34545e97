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
#include "common/types/ddl.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

struct Refused {
  std::string_view key;
  std::string_view only;  // the value that changes nothing
};

const std::vector<Refused>& RefusedByFiles() {
  static const std::vector<Refused> refused = {
      {"cleanSource", "off"},          {"sourceArchiveDir", ""}, {"modifiedBefore", ""},
      {"modifiedAfter", ""},           {"basePath", ""},         {"ignoreMissingFiles", "false"},
      {"encoding", "UTF-8"},           {"charset", "UTF-8"},     {"compression", ""},
      {"ignoreCorruptFiles", "false"},
  };
  return refused;
}

const std::vector<Refused>& RefusedByJson() {
  static const std::vector<Refused> refused = {
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
  std::vector<std::string_view> known = {
      "path",
      "maxFilesPerTrigger",
      "maxBytesPerTrigger",
      "latestFirst",
      "fileNameOnly",
      "maxFileAge",
      "maxCachedFiles",
      "discardCachedInputRatio",
      "pathGlobFilter",
      "recursiveFileLookup",
      "lineSep",
      "splitBytes",
  };
  std::vector<Refused> refused = RefusedByFiles();
  if (spec.format == "json") {
    known.insert(known.end(), {"mode", "columnNameOfCorruptRecord", "allowSingleQuotes",
                               "allowNonNumericNumbers", "inferSchema"});
    refused.insert(refused.end(), RefusedByJson().begin(), RefusedByJson().end());
  } else {
    refused.push_back({"wholetext", "false"});
  }
  for (const Refused& option : refused) {
    ARROW_RETURN_NOT_OK(spec.options.RequireOnly(option.key, option.only, spec.format));
    known.push_back(option.key);
  }
  return spec.options.RequireKnown(known, spec.format);
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
  if (spec.schema->num_fields() != 1) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SCHEMA",
                     fmt::format("Text data source supports only a single column, and you have {} "
                                 "columns.",
                                 spec.schema->num_fields()));
  }
  const auto& field = spec.schema->field(0);
  if (field->type()->id() != arrow::Type::STRING) {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                     fmt::format("The Text datasource doesn't support the column `{}` of the type "
                                 "\"{}\".",
                                 field->name(), SqlTypeName(*field->type())));
  }
  return spec;
}

arrow::Result<SourceSpec> ResolveJson(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const JsonOptions options, ParseJsonOptions(spec));
  if (spec.schema == nullptr) {
    if (options.infers_schema) return spec;
    return WithHint(
        MakeError(ErrorKind::kInvalid, "SCHEMA_NOT_SPECIFIED",
                  "Schema must be specified when creating a streaming source DataFrame."),
        "give the source a schema, or inferSchema: true");
  }
  for (const auto& field : spec.schema->fields()) {
    ARROW_RETURN_NOT_OK(CheckJsonType(*field->type(), field->name()));
    if (field->name() == options.corrupt_column && field->type()->id() != arrow::Type::STRING) {
      return MakeError(ErrorKind::kInvalid, "INVALID_CORRUPT_RECORD_TYPE",
                       fmt::format("The column `{}` for corrupt records must have the nullable "
                                   "STRING type, but got \"{}\".",
                                   field->name(), SqlTypeName(*field->type())));
    }
  }
  return spec;
}

}  // namespace

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
  return parsed;
}

arrow::Result<JsonOptions> ParseJsonOptions(const SourceSpec& spec) {
  const Options& options = spec.options;
  JsonOptions parsed;
  std::string mode = options.GetString("mode", "PERMISSIVE");
  for (char& c : mode) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (mode == "PERMISSIVE") {
    parsed.mode = ParseMode::kPermissive;
  } else if (mode == "DROPMALFORMED") {
    parsed.mode = ParseMode::kDropMalformed;
  } else if (mode == "FAILFAST") {
    parsed.mode = ParseMode::kFailFast;
  } else {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
        fmt::format("option mode: must be PERMISSIVE, DROPMALFORMED or FAILFAST: value={}", mode));
  }
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
