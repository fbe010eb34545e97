#include "connectors/file/csv/csv_options.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/file/column_types.h"

namespace tidemill::connectors {

namespace {

arrow::Status BadCharacter(std::string_view key, std::string_view value) {
  return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                   fmt::format("option {}: must be one ASCII character: value={}", key, value));
}

// One character, or "" for none.
arrow::Status GetChar(const Options& options, std::string_view key, char* out) {
  const auto value = options.Find(key);
  if (!value) return arrow::Status::OK();
  if (value->size() > 1 || (value->size() == 1 && (*value)[0] < 0)) {
    return BadCharacter(key, *value);
  }
  *out = value->empty() ? '\0' : (*value)[0];
  return arrow::Status::OK();
}

// As a separator is written: itself, or \t and the like.
arrow::Status GetSeparator(const Options& options, char* out) {
  const std::string_view key = options.Has("sep") ? "sep" : "delimiter";
  const auto value = options.Find(key);
  if (!value) return arrow::Status::OK();
  if (value->size() == 1 && (*value)[0] >= 0 && (*value)[0] != '\\') {
    *out = (*value)[0];
    return arrow::Status::OK();
  }
  if (value->size() == 2 && (*value)[0] == '\\') {
    constexpr std::string_view kNames = "trbf\"'\\";
    constexpr std::string_view kMeanings = "\t\r\b\f\"'\\";
    if (const size_t at = kNames.find((*value)[1]); at != std::string_view::npos) {
      *out = kMeanings[at];
      return arrow::Status::OK();
    }
  }
  return BadCharacter(key, *value);
}

// What Spark has and we have not, with the value that changes nothing.
const std::vector<RefusedOption>& RefusedByCsv() {
  static const std::vector<RefusedOption> refused = {
      {"samplingRatio", "1.0"},
      {"timeZone", ""},
      {"locale", "en-US"},
      {"enableDateTimeParsingFallback", ""},
      {"unescapedQuoteHandling", "STOP_AT_DELIMITER"},
      {"columnPruning", "true"},
      {"inputBufferSize", ""},
      {"singleVariantColumn", ""},
  };
  return refused;
}

}  // namespace

arrow::Result<CsvFormat> ParseCsvFormat(const Options& options) {
  CsvFormat format;
  ARROW_RETURN_NOT_OK(GetSeparator(options, &format.separator));
  ARROW_RETURN_NOT_OK(GetChar(options, "quote", &format.quote));
  ARROW_RETURN_NOT_OK(GetChar(options, "escape", &format.escape));
  ARROW_RETURN_NOT_OK(GetChar(options, "comment", &format.comment));
  format.escape_escape = format.quote == format.escape ? '\0' : format.escape;
  if (!options.GetString("charToEscapeQuoteEscaping", "").empty()) {
    ARROW_RETURN_NOT_OK(GetChar(options, "charToEscapeQuoteEscaping", &format.escape_escape));
  }
  format.null_value = options.GetString("nullValue", "");
  format.empty_value = options.GetString("emptyValue", "");
  return format;
}

arrow::Result<CsvDatetimeFormats> ParseDatetimeFormats(const Options& options,
                                                       DatetimePattern::Use use) {
  CsvDatetimeFormats formats;
  const std::array<std::pair<std::string_view, std::shared_ptr<const DatetimePattern>*>, 3> all = {
      {{"dateFormat", &formats.date},
       {"timestampFormat", &formats.timestamp},
       {"timestampNTZFormat", &formats.timestamp_ntz}}};
  for (const auto& [key, format] : all) {
    const auto pattern = options.Find(key);
    if (!pattern) continue;
    auto compiled = DatetimePattern::Compile(*pattern, use);
    if (!compiled.ok()) return WithContext(compiled.status(), fmt::format("option {}", key));
    *format = *std::move(compiled);
  }
  return formats;
}

arrow::Result<CsvOptions> ParseCsvOptions(const Options& options) {
  CsvOptions parsed;
  ARROW_ASSIGN_OR_RAISE(parsed.format, ParseCsvFormat(options));
  CsvFormat& format = parsed.format;
  ARROW_ASSIGN_OR_RAISE(format.ignores_leading_space,
                        options.GetBool("ignoreLeadingWhiteSpace", false));
  ARROW_ASSIGN_OR_RAISE(format.ignores_trailing_space,
                        options.GetBool("ignoreTrailingWhiteSpace", false));
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  ARROW_ASSIGN_OR_RAISE(format.max_columns,
                        options.GetInt("maxColumns", format.max_columns, 1, kMost));
  ARROW_ASSIGN_OR_RAISE(format.max_chars_per_column,
                        options.GetInt("maxCharsPerColumn", -1, -1, kMost));
  ARROW_ASSIGN_OR_RAISE(parsed.mode, ParseModeOf(options));
  parsed.corrupt_column = options.GetString("columnNameOfCorruptRecord", parsed.corrupt_column);
  ARROW_ASSIGN_OR_RAISE(parsed.has_header, options.GetBool("header", false));
  ARROW_ASSIGN_OR_RAISE(parsed.enforces_schema, options.GetBool("enforceSchema", true));
  ARROW_ASSIGN_OR_RAISE(parsed.is_multi_line, options.GetBool("multiLine", false));
  ARROW_ASSIGN_OR_RAISE(parsed.infers_schema, options.GetBool("inferSchema", false));
  ARROW_ASSIGN_OR_RAISE(parsed.prefers_date, options.GetBool("preferDate", true));
  ARROW_ASSIGN_OR_RAISE(parsed.formats,
                        ParseDatetimeFormats(options, DatetimePattern::Use::kParse));
  parsed.nan_value = options.GetString("nanValue", parsed.nan_value);
  parsed.positive_inf = options.GetString("positiveInf", parsed.positive_inf);
  parsed.negative_inf = options.GetString("negativeInf", parsed.negative_inf);
  if (parsed.is_multi_line && options.GetString("lineSep", "\n") != "\n") {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_OPTION",
                     "option lineSep: only \\n is supported together with multiLine");
  }
  return parsed;
}

arrow::Result<SourceSpec> ResolveCsvSource(SourceSpec spec) {
  ARROW_RETURN_NOT_OK(CheckFileOptionNames(spec,
                                           {"lineSep",
                                            "header",
                                            "sep",
                                            "delimiter",
                                            "quote",
                                            "escape",
                                            "charToEscapeQuoteEscaping",
                                            "comment",
                                            "nullValue",
                                            "emptyValue",
                                            "nanValue",
                                            "positiveInf",
                                            "negativeInf",
                                            "ignoreLeadingWhiteSpace",
                                            "ignoreTrailingWhiteSpace",
                                            "maxColumns",
                                            "maxCharsPerColumn",
                                            "mode",
                                            "columnNameOfCorruptRecord",
                                            "enforceSchema",
                                            "multiLine",
                                            "inferSchema",
                                            "preferDate",
                                            "dateFormat",
                                            "timestampFormat",
                                            "timestampNTZFormat"},
                                           RefusedByCsv()));
  ARROW_RETURN_NOT_OK(ParseFileSourceOptions(spec).status());
  ARROW_ASSIGN_OR_RAISE(const CsvOptions options, ParseCsvOptions(spec.options));
  if (spec.schema == nullptr) {
    return options.infers_schema ? arrow::Result<SourceSpec>(std::move(spec)) : SchemaNotGiven();
  }
  for (const auto& field : spec.schema->fields()) {
    if (!IsScalarType(*field->type()) || field->type()->id() == arrow::Type::BINARY) {
      return UnsupportedColumn("CSV", *field);
    }
    ARROW_RETURN_NOT_OK(CheckCorruptColumn(*field, options.corrupt_column));
  }
  return spec;
}

}  // namespace tidemill::connectors
