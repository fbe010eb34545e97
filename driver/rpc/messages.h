#pragma once

#include <arrow/result.h>

#include <string>
#include <vector>

#include "connectors/sink.h"
#include "connectors/source.h"

namespace tidemill::proto {
class Error;
class PhysicalPlan;
class SourceInput;
class StagedOutput;
}  // namespace tidemill::proto

namespace tidemill::driver {

void WriteInput(const connectors::EpochInput& input, proto::SourceInput* message);
connectors::EpochInput ReadInput(const proto::SourceInput& message);
// Replaces the splits of `message`.
void WriteSplits(const std::vector<connectors::Split>& splits, proto::SourceInput* message);

connectors::StagedOutput ReadStagedOutput(proto::StagedOutput&& message);

// An error from the wire: never OK.
arrow::Status ReadError(const proto::Error& message);

// One of ours for the wire, with the line that it is in: the other side need not have the text.
void WriteError(const arrow::Status& status, proto::Error* message);

// The sources of a plan, in its order.
arrow::Result<std::vector<connectors::SourceSpec>> SourceSpecsOf(const proto::PhysicalPlan& plan);
arrow::Result<connectors::SinkSpec> SinkSpecOf(const proto::PhysicalPlan& plan,
                                               std::string job_uuid, std::string job_name);

}  // namespace tidemill::driver
