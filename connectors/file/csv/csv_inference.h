#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "common/fs/file_system.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// InferSchema of csv: names from the header, else _c0, _c1, ...
arrow::Result<std::shared_ptr<arrow::Schema>> InferCsvSchema(const SourceSpec& spec,
                                                             FileSystem* fs);

}  // namespace tidemill::connectors
