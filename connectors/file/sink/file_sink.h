#pragma once

#include <arrow/result.h>

#include <memory>

#include "connectors/sink.h"

namespace tidemill::connectors {

// Files of any format, exactly once: workers write staged files, the driver publishes a manifest
// for the epoch (create only if absent) and then renames. Append mode adds
// part-<epoch>-<n>-<uuid8>.<ext>; complete mode replaces part-00000.<ext>, so that plain readers
// see the old result or the new one.

// Option path, and those of the format. Update mode is refused.
arrow::Result<SinkSpec> ResolveFileSink(SinkSpec spec);
arrow::Result<std::unique_ptr<SinkDriver>> MakeFileSinkDriver(const SinkSpec& spec,
                                                              const SinkDriverContext& context);
arrow::Result<std::unique_ptr<SinkWriter>> MakeFileSinkWriter(const SinkSpec& spec,
                                                              const WriterContext& context);

}  // namespace tidemill::connectors
