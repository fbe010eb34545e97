#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Worker half of json: one record a line (an array of objects is one record each; blank lines are
// none). Only the columns asked for are converted, but every record is checked whole: its syntax,
// its UTF-8, text behind its end, 64 levels and 8 MiB at most. What a bad record becomes is the
// option `mode`: PERMISSIVE keeps the fields that are good and puts the record's text in the
// corrupt column, if the query uses it (a record that is no JSON object has NULL in all others);
// DROPMALFORMED drops it; FAILFAST ends the job with MALFORMED_RECORD_IN_PARSING.
arrow::Result<std::unique_ptr<SourceReader>> MakeJsonReader(const SourceSpec& spec,
                                                            const std::vector<int>& columns);

}  // namespace tidemill::connectors
