#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/sink.h"

namespace tidemill::connectors {

// Discards all rows, in any output mode; for measurements.
arrow::Result<SinkSpec> ResolveNoopSink(SinkSpec spec);
arrow::Result<std::unique_ptr<SinkDriver>> MakeNoopSinkDriver(const SinkSpec& spec,
                                                              const SinkDriverContext& context);
arrow::Result<std::unique_ptr<SinkWriter>> MakeNoopSinkWriter(const SinkSpec& spec,
                                                              const WriterContext& context);

}  // namespace tidemill::connectors
