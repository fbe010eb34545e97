#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "connectors/source.h"

namespace tidemill::connectors {

// InferSchema of json.
arrow::Result<std::shared_ptr<arrow::Schema>> InferJsonSchema(const SourceSpec& spec,
                                                              FileSystem* fs);

}  // namespace tidemill::connectors
