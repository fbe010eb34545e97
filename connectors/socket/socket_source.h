#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Lines from a TCP connection, `value STRING[, timestamp TIMESTAMP]`. The driver half connects,
// reads on a thread of its own and keeps rows until they are committed; splits carry rows in their
// payload. Position: index of the last row taken, JSON text "41". Not fault tolerant: rows that
// arrived and were not planned yet are gone when the driver ends. The peer's end of file ends the
// data and not the job.

arrow::Result<SourceSpec> ResolveSocketSource(SourceSpec spec);
// Connects. Errors: CONNECTION_FAILED (kUnavailable).
arrow::Result<std::unique_ptr<SourceDriver>> MakeSocketSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context);
arrow::Result<std::unique_ptr<SourceReader>> MakeSocketSourceReader(
    const SourceSpec& spec, const std::vector<int>& columns);

}  // namespace tidemill::connectors
