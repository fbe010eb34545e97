#pragma once

#include <arrow/status.h>

#include <string_view>

namespace tidemill::connectors {

// What a bad record is under FAILFAST: MALFORMED_RECORD_IN_PARSING (kJobFailed) with the begin of
// its text and the file.
arrow::Status MalformedRecord(std::string_view text, std::string_view path);

}  // namespace tidemill::connectors
