#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/sink.h"

namespace tidemill::connectors {

// Prints each epoch: Spark's header and table (options numRows 20, truncate true), or with style
// `json` one line {"batchId":0,"rows":[...]} for an epoch that has rows. At-least-once: an epoch
// that runs again after a crash is printed again.
arrow::Result<SinkSpec> ResolveConsoleSink(SinkSpec spec);
arrow::Result<std::unique_ptr<SinkDriver>> MakeConsoleSinkDriver(const SinkSpec& spec,
                                                                 const SinkDriverContext& context);
arrow::Result<std::unique_ptr<SinkWriter>> MakeConsoleSinkWriter(const SinkSpec& spec,
                                                                 const WriterContext& context);

}  // namespace tidemill::connectors
