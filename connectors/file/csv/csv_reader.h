#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Worker half of csv: one record a line, or with multiLine what stands between line breaks outside
// of quotes. Only the columns asked for are converted. As in Spark a record with more or less
// columns than the schema is bad only where the query reads all columns (or with multiLine), and a
// value that does not suit only where it is read. What a bad record becomes is the option `mode`:
// PERMISSIVE keeps what is good of it and puts its text in the corrupt column, DROPMALFORMED drops
// it, FAILFAST ends the job with MALFORMED_RECORD_IN_PARSING. Lines of more than 8 MiB are bad.
arrow::Result<std::unique_ptr<SourceReader>> MakeCsvReader(const SourceSpec& spec,
                                                           const std::vector<int>& columns);

}  // namespace tidemill::connectors
