#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "connectors/source.h"

namespace tidemill::connectors {

// Gives a source the schema that its format decides. Errors: UNSUPPORTED_USER_SCHEMA where the user
// wrote another one, UNSUPPORTED_BATCH_READ where the source is read as a static table.
arrow::Result<SourceSpec> WithFixedSchema(SourceSpec spec, std::shared_ptr<arrow::Schema> schema);

}  // namespace tidemill::connectors
