#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "driver/spec/job_spec.h"

namespace tidemill::driver {

// Values that mean the same in every syntax of a job. Errors are kInvalid and carry `span`.

// INVALID_SPECIFICATION.BAD_VALUE with the nearest of `allowed`.
arrow::Status BadValue(std::string_view key, std::string_view value, Span span,
                       const std::vector<std::string_view>& allowed);

// "append", "update" or "complete", in any case.
arrow::Result<connectors::OutputMode> ReadOutputMode(const std::string& text, Span span);
// "available-now", "once", or the interval of processingTime: "1 second".
arrow::Result<Trigger> ReadTrigger(const std::string& text, Span span);
arrow::Result<Trigger> ReadProcessingTime(const std::string& text, Span span);

// Sets an option of a source or sink; the path of files is made absolute.
void SetOption(const std::string& key, const std::string& value, const std::string& format,
               const std::string& directory, Options* options);
// What `path` is, taken from `directory` (absolute); a path with a scheme stays as it is.
std::string AbsolutePath(const std::string& directory, const std::string& path);

// The directory that relative paths of this process are taken from.
arrow::Result<std::string> CurrentDirectory();

}  // namespace tidemill::driver
