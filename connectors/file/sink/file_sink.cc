#include "connectors/file/sink/file_sink.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "connectors/file/sink/file_encoder.h"

namespace tidemill::connectors {

arrow::Result<SinkSpec> ResolveFileSink(SinkSpec spec) {
  ARROW_RETURN_NOT_OK(CheckFileFormat(spec));
  if (spec.options.GetString("path", "").empty()) {
    return MakeError(ErrorKind::kInvalid, "MISSING_OPTION",
                     fmt::format("sink needs the option path: format={}", spec.format));
  }
  if (spec.output_mode == OutputMode::kUpdate) {
    return WithHint(
        MakeError(ErrorKind::kInvalid, "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
                  fmt::format("Invalid streaming output mode: update. This output mode is not "
                              "supported in Data Source {}.",
                              spec.format)),
        "files can be added (append) or replaced (complete), but rows in them cannot be changed");
  }
  return spec;
}

}  // namespace tidemill::connectors
