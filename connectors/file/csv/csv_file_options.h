#pragma once

#include <arrow/result.h>

#include "common/csv/csv_options.h"
#include "connectors/file/file_options.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// Options of a csv source. *Plain data.*
struct CsvFileOptions : CsvOptions {
  ParseMode mode = ParseMode::kPermissive;
  bool has_header = false;
  bool enforces_schema = true;  // else the header must have the names of the schema
  bool is_multi_line = false;   // quoted values may hold line breaks
  bool infers_schema = false;
};

arrow::Result<CsvFileOptions> ParseCsvFileOptions(const Options& options);

// ResolveSource of csv.
arrow::Result<SourceSpec> ResolveCsvSource(SourceSpec spec);

}  // namespace tidemill::connectors
