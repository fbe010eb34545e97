#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>
#include <vector>

#include "connectors/sink.h"
#include "state/durable/records.h"
#include "worker/shared_files.h"
#include "worker/slot/assignment.h"
#include "worker/slot/epoch_task.h"

namespace tidemill::proto {
class Assign;
class Deploy;
class Error;
class EventTimeStats;
class Extent;
class OperatorProgress;
class Prepared;
class RunEpoch;
class Snapshot;
class StagedOutput;
}  // namespace tidemill::proto

// Wire messages to our structs and back; the only place of the worker, beside plan/, that sees
// generated types.
namespace tidemill::worker {

std::shared_ptr<const EpochTask> ReadRunEpoch(const proto::RunEpoch& message, uint64_t term);
std::shared_ptr<const Assignment> ReadAssignment(const proto::Assign& message);
std::vector<SharedFile> ReadSharedFiles(const proto::Deploy& message);
state::Snapshot ReadSnapshot(const proto::Snapshot& message);
state::Extent ReadExtent(const proto::Extent& message);

void WriteSnapshot(const state::Snapshot& snapshot, proto::Snapshot* message);
void WriteExtent(const state::Extent& extent, proto::Extent* message);
// Adds what a slot has done to what the worker says of the attempt, sources and operators by place.
void AddSlotReport(const SlotReport& report, proto::Prepared* prepared);
void WriteEventTime(int watermark, const EventTimeStats& stats, proto::EventTimeStats* message);
// Of the operator's memory, what evicting rows does not give back.
int64_t ColdBytesOf(const proto::OperatorProgress& op);
void WriteStagedOutput(connectors::StagedOutput output, proto::StagedOutput* message);
void WriteError(const arrow::Status& status, proto::Error* message);
arrow::Status ReadError(const proto::Error& message);

}  // namespace tidemill::worker
