#include "common/csv/csv_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

namespace {

arrow::Status BadCharacter(std::string_view key, std::string_view value) {
  return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                   fmt::format("option {}: must be one ASCII character: value={}", key, value));
}

// One character, or "" for none.
arrow::Status GetChar(const Options& options, std::string_view key, char* out) {
  const auto value = options.Find(key);
  if (!value) return arrow::Status::OK();
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  if (std::count_if(value->begin(), value->end(), begins) > 1) {
    return MakeError(ErrorKind::kInvalid, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER",
                     fmt::format("The value of the option '{}' must be exactly one character long, "
                                 "got: '{}'.",
                                 key, *value));
  }
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
  parsed.corrupt_column = options.GetString("columnNameOfCorruptRecord", parsed.corrupt_column);
  ARROW_ASSIGN_OR_RAISE(parsed.prefers_date, options.GetBool("preferDate", true));
  ARROW_ASSIGN_OR_RAISE(parsed.formats,
                        ParseDatetimeFormats(options, DatetimePattern::Use::kParse));
  parsed.nan_value = options.GetString("nanValue", parsed.nan_value);
  parsed.positive_inf = options.GetString("positiveInf", parsed.positive_inf);
  parsed.negative_inf = options.GetString("negativeInf", parsed.negative_inf);
  return parsed;
}

}  // namespace tidemill
