#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/sink.h"

namespace tidemill::connectors {

// Keeps rows in the MemoryTables of the driver's process, in a table named after the job: append
// adds, complete replaces. Gone with the process; at-least-once.
arrow::Result<SinkSpec> ResolveMemorySink(SinkSpec spec);
arrow::Result<std::unique_ptr<SinkDriver>> MakeMemorySinkDriver(const SinkSpec& spec,
                                                                const SinkDriverContext& context);
arrow::Result<std::unique_ptr<SinkWriter>> MakeMemorySinkWriter(const SinkSpec& spec,
                                                                const WriterContext& context);

}  // namespace tidemill::connectors
