#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "common/base/options.h"
#include "common/csv/csv_tokenizer.h"
#include "common/types/corrupt_column.h"
#include "common/types/datetime_pattern/datetime_pattern.h"

namespace tidemill {

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

// How records are read, wherever their text comes from. *Plain data.*
struct CsvOptions {
  CsvFormat format;
  std::string corrupt_column{kCorruptColumn};
  bool prefers_date = true;
  std::string nan_value = "NaN";
  std::string positive_inf = "Inf";
  std::string negative_inf = "-Inf";
  CsvDatetimeFormats formats;
};

// Errors: INVALID_OPTION_VALUE, OPTION_VALUE_EXCEEDS_ONE_CHARACTER, those of DatetimePattern.
arrow::Result<CsvOptions> ParseCsvOptions(const Options& options);
// The characters that reading and writing have in common.
arrow::Result<CsvFormat> ParseCsvFormat(const Options& options);

}  // namespace tidemill
