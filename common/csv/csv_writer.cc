#include "common/csv/csv_writer.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "common/types/time_text.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' '; }

}  // namespace

arrow::Result<CsvWriteOptions> ParseCsvWriteOptions(const Options& options) {
  CsvWriteOptions parsed;
  ARROW_ASSIGN_OR_RAISE(parsed.format, ParseCsvFormat(options));
  CsvFormat& format = parsed.format;
  ARROW_ASSIGN_OR_RAISE(format.ignores_leading_space,
                        options.GetBool("ignoreLeadingWhiteSpace", true));
  ARROW_ASSIGN_OR_RAISE(format.ignores_trailing_space,
                        options.GetBool("ignoreTrailingWhiteSpace", true));
  // What begins with it in the first column is quoted, also where nobody set it.
  if (format.comment == '\0') format.comment = '#';
  parsed.empty_value = options.GetString("emptyValue", parsed.empty_value);
  parsed.line_end = options.GetString("lineSep", parsed.line_end);
  ARROW_ASSIGN_OR_RAISE(parsed.has_header, options.GetBool("header", false));
  ARROW_ASSIGN_OR_RAISE(parsed.quotes_all, options.GetBool("quoteAll", false));
  ARROW_ASSIGN_OR_RAISE(parsed.escapes_quotes, options.GetBool("escapeQuotes", true));
  ARROW_ASSIGN_OR_RAISE(parsed.formats,
                        ParseDatetimeFormats(options, DatetimePattern::Use::kFormat));
  if (format.quote == '\0' || format.escape == '\0') {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     "options quote and escape: must not be empty where csv is written");
  }
  return parsed;
}

CsvWriter::CsvWriter(CsvWriteOptions options, std::shared_ptr<const TimeZone> zone)
    : options_(std::move(options)), zone_(std::move(zone)), utc_(UtcTimeZone()) {
  triggers_.fill(false);
  for (const char c : options_.line_end) triggers_[static_cast<unsigned char>(c)] = true;
  for (const char c : {'\n', '\r', options_.format.separator}) {
    triggers_[static_cast<unsigned char>(c)] = true;
  }
  triggers_[static_cast<unsigned char>(options_.format.quote)] = options_.escapes_quotes;
}

void CsvWriter::AppendRow(const arrow::ArrayVector& columns, int64_t row, std::string* out) {
  for (size_t column = 0; column < columns.size(); ++column) {
    if (column > 0) out->push_back(options_.format.separator);
    const arrow::Array& values = *columns[column];
    if (values.IsNull(row)) {
      AppendStandIn(options_.format.null_value, column, out);
    } else if (values.type_id() == arrow::Type::STRING) {
      AppendField(static_cast<const arrow::StringArray&>(values).GetView(row), column, out);
    } else {
      text_.clear();
      AppendValue(values, row);
      AppendField(text_, column, out);
    }
  }
}

void CsvWriter::AppendNames(const arrow::Schema& schema, std::string* out) {
  for (int column = 0; column < schema.num_fields(); ++column) {
    if (column > 0) out->push_back(options_.format.separator);
    AppendField(schema.field(column)->name(), column, out);
  }
}

// One of the values within a nested one; a NULL has a blank in front too, unless it is no text.
void CsvWriter::AppendNested(const arrow::Array& values, int64_t row, bool is_first) {
  const std::string& null_value = options_.format.null_value;
  if (values.IsNull(row)) {
    if (!null_value.empty()) text_.append(" ").append(null_value);
  } else {
    if (!is_first) text_.push_back(' ');
    AppendValue(values, row);
  }
}

void CsvWriter::AppendElements(const arrow::ListArray& lists, int64_t row) {
  const arrow::Array& elements = *lists.values();
  text_.push_back('[');
  for (int64_t i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
    const bool is_first = i == lists.value_offset(row);
    if (!is_first) text_.push_back(',');
    AppendNested(elements, i, is_first);
  }
  text_.push_back(']');
}

void CsvWriter::AppendEntries(const arrow::MapArray& maps, int64_t row) {
  text_.push_back('{');
  for (int64_t i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i) {
    if (i > maps.value_offset(row)) text_.append(", ");
    AppendValue(*maps.keys(), i);
    text_.append(" ->");
    AppendNested(*maps.items(), i, /*is_first=*/false);
  }
  text_.push_back('}');
}

void CsvWriter::AppendFields(const arrow::StructArray& structs, int64_t row) {
  text_.push_back('{');
  for (int i = 0; i < structs.num_fields(); ++i) {
    if (i > 0) text_.push_back(',');
    AppendNested(*structs.field(i), row, i == 0);
  }
  text_.push_back('}');
}

// Appends a value that is not NULL to text_.
void CsvWriter::AppendValue(const arrow::Array& values, int64_t row) {
  switch (values.type_id()) {
    case arrow::Type::LIST:
      return AppendElements(static_cast<const arrow::ListArray&>(values), row);
    case arrow::Type::MAP:
      return AppendEntries(static_cast<const arrow::MapArray&>(values), row);
    case arrow::Type::STRUCT:
      return AppendFields(static_cast<const arrow::StructArray&>(values), row);
    case arrow::Type::TIMESTAMP:
      return AppendTimestamp(static_cast<const arrow::TimestampArray&>(values), row);
    default:
      break;
  }
  if (values.type_id() == arrow::Type::DATE32 && options_.formats.date != nullptr) {
    constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;
    const int64_t days = static_cast<const arrow::Date32Array&>(values).Value(row);
    return options_.formats.date->Format(days * kMicrosOfDay, *utc_, &text_);
  }
  AppendCastText(*values.data(), row, *zone_, TextStyle::kShow, &text_);
}

void CsvWriter::AppendTimestamp(const arrow::TimestampArray& values, int64_t row) {
  constexpr int64_t kMicros = 1'000'000;
  const int64_t micros = values.Value(row);
  const bool is_instant = IsInstantType(*values.type());
  const auto& pattern = is_instant ? options_.formats.timestamp : options_.formats.timestamp_ntz;
  if (pattern != nullptr) return pattern->Format(micros, is_instant ? *zone_ : *utc_, &text_);
  const int64_t seconds = micros / kMicros - (micros % kMicros < 0 ? 1 : 0);
  const int64_t fraction = micros - seconds * kMicros;
  const int32_t offset = is_instant ? UtcOffsetSeconds(*zone_, micros) : 0;
  AppendDateTimeText(seconds + offset, 'T', &text_);
  text_.push_back('.');
  AppendPadded(static_cast<uint32_t>(fraction / 1000), 3, &text_);
  if (is_instant) AppendOffsetText(offset, &text_);
}

void CsvWriter::AppendField(std::string_view text, size_t column, std::string* out) const {
  std::string_view shown = text;
  if (options_.format.ignores_leading_space) {
    while (!shown.empty() && IsSpace(shown.front())) shown.remove_prefix(1);
  }
  const std::string_view kept = TrimEnd(shown);
  if (kept.empty()) return AppendStandIn(options_.empty_value, column, out);
  if (IsQuoted(shown, text.front(), column)) return AppendQuoted(kept, out);
  out->append(kept);
}

// nullValue or emptyValue: one that has quotes around it already is written as it is.
void CsvWriter::AppendStandIn(std::string_view text, size_t column, std::string* out) const {
  const char quote = options_.format.quote;
  const bool has_quotes = text.size() >= 2 && text.front() == quote && text.back() == quote;
  if (has_quotes || (text.empty() && !options_.quotes_all) ||
      (!text.empty() && !IsQuoted(text, text.front(), column))) {
    out->append(text);
  } else {
    AppendQuoted(text, out);
  }
}

// `first`: of the text before blanks were dropped.
bool CsvWriter::IsQuoted(std::string_view text, char first, size_t column) const {
  if (options_.quotes_all || text.front() == options_.format.quote) return true;
  if (column == 0 && first == options_.format.comment) return true;
  for (const char c : text) {
    if (triggers_[static_cast<unsigned char>(c)]) return true;
  }
  return false;
}

std::string_view CsvWriter::TrimEnd(std::string_view text) const {
  if (!options_.format.ignores_trailing_space) return text;
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

void CsvWriter::AppendQuoted(std::string_view text, std::string* out) const {
  const CsvFormat& format = options_.format;
  out->push_back(format.quote);
  for (const char c : text) {
    if (c == format.quote) {
      out->push_back(format.escape);
    } else if (c == format.escape && format.escape_escape != '\0') {
      out->push_back(format.escape_escape);
    }
    out->push_back(c);
  }
  out->push_back(format.quote);
}

}  // namespace tidemill
