#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "common/types/datetime_pattern/datetime_pattern.h"
#include "connectors/file/csv/csv_tokenizer.h"
#include "connectors/file/file_options.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// The options dateFormat, timestampFormat and timestampNTZFormat; null where nobody set them.
// *Plain data.*
struct CsvDatetimeFormats {
  std::shared_ptr<const DatetimePattern> date;
  std::shared_ptr<const DatetimePattern> timestamp;
  std::shared_ptr<const DatetimePattern> timestamp_ntz;
};

// Errors: those of DatetimePattern.
arrow::Result<CsvDatetimeFormats> ParseDatetimeFormats(const Options& options,
                                                       DatetimePattern::Use use);

// Options of a csv source. *Plain data.*
struct CsvOptions {
  CsvFormat format;
  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_column = "_corrupt_record";
  bool has_header = false;
  bool enforces_schema = true;  // else the header must have the names of the schema
  bool is_multi_line = false;   // quoted values may hold line breaks
  bool infers_schema = false;
  bool prefers_date = true;
  std::string nan_value = "NaN";
  std::string positive_inf = "Inf";
  std::string negative_inf = "-Inf";
  CsvDatetimeFormats formats;
};

arrow::Result<CsvOptions> ParseCsvOptions(const Options& options);
// The characters that reading and writing have in common.
arrow::Result<CsvFormat> ParseCsvFormat(const Options& options);

// ResolveSource of csv.
arrow::Result<SourceSpec> ResolveCsvSource(SourceSpec spec);

}  // namespace tidemill::connectors
