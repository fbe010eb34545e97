#include "connectors/fixed_schema.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"

namespace tidemill::connectors {

arrow::Result<SourceSpec> WithFixedSchema(SourceSpec spec, std::shared_ptr<arrow::Schema> schema) {
  if (!spec.is_streaming) {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_BATCH_READ",
                     fmt::format("source can only be read as a stream: format={}", spec.format));
  }
  if (spec.schema != nullptr && !spec.schema->Equals(*schema)) {
    return MakeError(
        ErrorKind::kInvalid, "UNSUPPORTED_USER_SCHEMA",
        fmt::format("{} source does not support a user-specified schema", spec.format));
  }
  spec.schema = std::move(schema);
  return spec;
}

}  // namespace tidemill::connectors
