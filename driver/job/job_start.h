#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/epoch/recovery.h"
#include "driver/job/job_log.h"
#include "driver/job/job_runner.h"
#include "driver/log/checkpoint_dir.h"
#include "driver/log/commit_log.h"
#include "driver/log/log_state.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

// A file that workers must see with these contents, as a proof that directories are shared.
struct SharedFileProof {
  std::string purpose;  // "checkpoint", "sink"
  std::string path;
  uint64_t checksum = 0;  // Hash64 of the contents
};

struct OpenedSink {
  std::unique_ptr<connectors::SinkDriver> driver;
  RecoveryDecision decision;
  std::optional<SharedFileProof> shared_file;
};

// A job whose checkpoint is ours, read to its end, with its sources at the last committed epoch and
// its sink recovered: ready for its first event.
struct OpenedJob {
  std::unique_ptr<CheckpointDir> checkpoint;
  std::unique_ptr<CommitLog> log;
  LogState state{0};
  LogGrowth growth;
  uint64_t plan_fingerprint = 0;  // of the job's plan
  // The plan that planned the open epoch, where that is not the job's.
  std::shared_ptr<const proto::PhysicalPlan> stored_plan;
  // The open epoch's plan with the splits that the sources still have.
  proto::EpochPlan open_plan;
  std::vector<std::unique_ptr<connectors::SourceDriver>> sources;
  OpenedSink sink;  // of the plan that runs first
};

// Takes the checkpoint and recovers the job. `wake` is what sources call when they notice data.
// Deletes what earlier runs left behind. Workers that still run the job for an earlier term may be
// writing to some of it: nothing of that can be committed any more, and a worker that is kept
// begins new files when it is adopted. Blocks on I/O. Errors: those of CheckpointDir, ReadLog,
// DecideRecovery and the connectors; CHECKPOINT_INCOMPATIBLE (kCorrupt) where the query's state or
// sources changed.
arrow::Result<std::unique_ptr<OpenedJob>> OpenJob(const JobDefinition& definition,
                                                  const JobEnvironment& environment,
                                                  const std::function<void()>& wake);

// What the opening of a sink depends on.
struct SinkOpening {
  std::string job_uuid;
  uint64_t term = 0;
  LogFacts log;
  uint64_t plan_fingerprint = 0;  // of the job's plan
};

// What the log says, for a decision.
LogFacts FactsOf(const LogState& state);

// Opens and recovers the sink of `plan`, and decides by what it says. Blocks on I/O.
arrow::Result<OpenedSink> OpenSink(const JobDefinition& definition,
                                   const JobEnvironment& environment, const SinkOpening& opening,
                                   const proto::PhysicalPlan& plan);

}  // namespace tidemill::driver
