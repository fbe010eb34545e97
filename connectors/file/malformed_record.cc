#include "connectors/file/malformed_record.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace tidemill::connectors {

arrow::Status MalformedRecord(std::string_view text, std::string_view path) {
  constexpr size_t kShownBytes = 1000;
  return MakeError(
      ErrorKind::kJobFailed, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      fmt::format("Malformed records are detected in record parsing: {}{}. Parse Mode: FAILFAST. "
                  "To process malformed records as null result, try setting the option 'mode' as "
                  "'PERMISSIVE'. file={}",
                  text.substr(0, kShownBytes), text.size() > kShownBytes ? "..." : "", path));
}

}  // namespace tidemill::connectors
