#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Sources that make up rows, `timestamp TIMESTAMP, value BIGINT`; values count from 0.
//   rate: rowsPerSecond rows a second of wall clock, after rampUpTime; position = whole seconds
//     since the job began, JSON text "5".
//   rate-micro-batch: rowsPerBatch rows an epoch, one timestamp each epoch; position
//     {"offset":10,"timestamp":1000}.
// Both replay exactly: a split's payload holds all that its rows depend on.

arrow::Result<SourceSpec> ResolveRateSource(SourceSpec spec);
arrow::Result<std::unique_ptr<SourceDriver>> MakeRateSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context);
arrow::Result<std::unique_ptr<SourceReader>> MakeRateSourceReader(const SourceSpec& spec,
                                                                  const std::vector<int>& columns);

}  // namespace tidemill::connectors
