#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Rows that a query holds itself (VALUES, SELECT without FROM): they travel in the plan. A
// specification cannot declare such a source; the planner makes it.
arrow::Result<SourceSpec> ValuesSourceOf(std::string name,
                                         const std::shared_ptr<arrow::RecordBatch>& rows);

arrow::Result<SourceSpec> ResolveValuesSource(SourceSpec spec);  // always UNSUPPORTED_DATA_SOURCE
arrow::Result<std::unique_ptr<SourceDriver>> MakeValuesSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context);
arrow::Result<std::unique_ptr<SourceReader>> MakeValuesSourceReader(
    const SourceSpec& spec, const std::vector<int>& columns);

}  // namespace tidemill::connectors
