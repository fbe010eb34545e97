#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/options.h"
#include "common/csv/csv_options.h"
#include "common/types/time_zone.h"

namespace tidemill {

// *Plain data.*
struct CsvWriteOptions {
  CsvFormat format;
  std::string empty_value = "\"\"";
  std::string line_end = "\n";
  bool has_header = false;
  bool quotes_all = false;
  bool escapes_quotes = true;
  CsvDatetimeFormats formats;
};

// Errors: as ParseCsvOptions.
arrow::Result<CsvWriteOptions> ParseCsvWriteOptions(const Options& options);

// Rows as Spark's CSV writer writes them: a value is quoted where it holds the separator, a line
// end or (escapeQuotes) a quote; blanks around it are dropped unless ignoreLeadingWhiteSpace and
// ignoreTrailingWhiteSpace are false; NULL is nullValue, empty text emptyValue (""). Nested values
// are "[1, 2]", "{a -> 1}" and "{1, x}". *Thread-compatible.*
class CsvWriter {
 public:
  CsvWriter(CsvWriteOptions options, std::shared_ptr<const TimeZone> zone);

  // Appends a row, without a line end; an empty text where it is one NULL.
  void AppendRow(const arrow::ArrayVector& columns, int64_t row, std::string* out);
  void AppendNames(const arrow::Schema& schema, std::string* out);

  const CsvWriteOptions& options() const { return options_; }

 private:
  void AppendValue(const arrow::Array& values, int64_t row);
  void AppendTimestamp(const arrow::TimestampArray& values, int64_t row);
  void AppendElements(const arrow::ListArray& lists, int64_t row);
  void AppendEntries(const arrow::MapArray& maps, int64_t row);
  void AppendFields(const arrow::StructArray& structs, int64_t row);
  void AppendNested(const arrow::Array& values, int64_t row, bool is_first);
  void AppendField(std::string_view text, size_t column, std::string* out) const;
  void AppendStandIn(std::string_view text, size_t column, std::string* out) const;
  void AppendQuoted(std::string_view text, std::string* out) const;
  bool IsQuoted(std::string_view text, char first, size_t column) const;
  std::string_view TrimEnd(std::string_view text) const;

  const CsvWriteOptions options_;
  const std::shared_ptr<const TimeZone> zone_;
  const std::shared_ptr<const TimeZone> utc_;
  std::array<bool, 256> triggers_;  // characters that make quotes necessary
  std::string text_;
};

}  // namespace tidemill
