#include "connectors/file/csv/csv_encoder.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "common/types/time_text.h"
#include "connectors/file/column_types.h"
#include "connectors/file/csv/csv_options.h"

namespace tidemill::connectors {

namespace {

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' '; }

struct CsvWriteOptions {
  CsvFormat format;
  std::string empty_value = "\"\"";
  std::string line_end = "\n";
  bool has_header = false;
  bool quotes_all = false;
  bool escapes_quotes = true;
  CsvDatetimeFormats formats;
};

arrow::Result<CsvWriteOptions> ParseWriteOptions(const Options& options) {
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

class CsvEncoder final : public FileEncoder {
 public:
  CsvEncoder(CsvWriteOptions options, const SinkSpec& spec, std::shared_ptr<const TimeZone> zone)
      : options_(std::move(options)), schema_(spec.schema), zone_(std::move(zone)) {
    triggers_.fill(false);
    for (const char c : options_.line_end) triggers_[static_cast<unsigned char>(c)] = true;
    for (const char c : {'\n', '\r', options_.format.separator}) {
      triggers_[static_cast<unsigned char>(c)] = true;
    }
    triggers_[static_cast<unsigned char>(options_.format.quote)] = options_.escapes_quotes;
  }

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    AppendHeader(out);
    const int columns = batch->num_columns();
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const size_t begin = out->size();
      for (int column = 0; column < columns; ++column) {
        if (column > 0) out->push_back(options_.format.separator);
        const arrow::Array& values = *batch->column(column);
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
      if (out->size() > begin) out->append(options_.line_end);
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish(std::string* out) override {
    AppendHeader(out);
    return arrow::Status::OK();
  }

 private:
  void AppendHeader(std::string* out) {
    if (!options_.has_header || std::exchange(has_begun_, true)) return;
    for (int column = 0; column < schema_->num_fields(); ++column) {
      if (column > 0) out->push_back(options_.format.separator);
      AppendField(schema_->field(column)->name(), column, out);
    }
    out->append(options_.line_end);
  }

  // Text of a value that is neither NULL nor a STRING.
  void AppendValue(const arrow::Array& values, int64_t row) {
    if (values.type_id() == arrow::Type::DATE32 && options_.formats.date != nullptr) {
      constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;
      const int64_t days = static_cast<const arrow::Date32Array&>(values).Value(row);
      return options_.formats.date->Format(days * kMicrosOfDay, *utc_, &text_);
    }
    if (values.type_id() != arrow::Type::TIMESTAMP) {
      return AppendCastText(*values.data(), row, *zone_, TextStyle::kShow, &text_);
    }
    constexpr int64_t kMicros = 1'000'000;
    const int64_t micros = static_cast<const arrow::TimestampArray&>(values).Value(row);
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

  void AppendField(std::string_view text, int column, std::string* out) {
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
  void AppendStandIn(std::string_view text, int column, std::string* out) {
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
  bool IsQuoted(std::string_view text, char first, int column) const {
    if (options_.quotes_all || text.front() == options_.format.quote) return true;
    if (column == 0 && first == options_.format.comment) return true;
    for (const char c : text) {
      if (triggers_[static_cast<unsigned char>(c)]) return true;
    }
    return false;
  }

  std::string_view TrimEnd(std::string_view text) const {
    if (!options_.format.ignores_trailing_space) return text;
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    return text;
  }

  void AppendQuoted(std::string_view text, std::string* out) const {
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

  const CsvWriteOptions options_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<const TimeZone> zone_;
  const std::shared_ptr<const TimeZone> utc_ = FindTimeZone("UTC").ValueOrDie();
  std::array<bool, 256> triggers_;  // characters that make quotes necessary
  bool has_begun_ = false;
  std::string text_;
};

}  // namespace

arrow::Result<std::unique_ptr<FileEncoder>> MakeCsvEncoder(const SinkSpec& spec,
                                                           std::shared_ptr<const TimeZone> zone) {
  ARROW_ASSIGN_OR_RAISE(CsvWriteOptions options, ParseWriteOptions(spec.options));
  return std::make_unique<CsvEncoder>(std::move(options), spec, std::move(zone));
}

arrow::Status CheckCsv(const SinkSpec& spec) {
  ARROW_RETURN_NOT_OK(ParseWriteOptions(spec.options).status());
  if (spec.schema == nullptr) return arrow::Status::OK();
  for (const auto& field : spec.schema->fields()) {
    if (!IsScalarType(*field->type())) return UnsupportedColumn("CSV", *field);
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::connectors
