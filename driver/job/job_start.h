#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/epoch/recovery.h"
#include "driver/job/job_runner.h"
#include "driver/log/checkpoint_dir.h"
#include "driver/log/commit_log.h"
#include "driver/log/log_state.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

// A job whose checkpoint is ours, read to its end, with its sources at the last committed epoch and
// its sink recovered: ready for its first event.
struct OpenedJob {
  std::unique_ptr<CheckpointDir> checkpoint;
  std::unique_ptr<CommitLog> log;
  LogState state{0};
  uint64_t plan_fingerprint = 0;  // of the job's plan
  RecoveryDecision decision;
  // The plan that planned the open epoch, where that is not the job's.
  std::shared_ptr<const proto::PhysicalPlan> stored_plan;
  // The open epoch's plan with the splits that the sources still have.
  proto::EpochPlan open_plan;
  std::vector<std::unique_ptr<connectors::SourceDriver>> sources;
  std::unique_ptr<connectors::SinkDriver> sink;  // of the plan that runs first
};

// Takes the checkpoint and recovers the job. `wake` is what sources call when they notice data.
// Deletes what earlier runs left behind, which is safe only while no worker runs the job. Blocks on
// I/O. Errors: those of CheckpointDir, ReadLog, DecideRecovery and the connectors;
// CHECKPOINT_INCOMPATIBLE (kCorrupt) where the query's state or sources changed.
arrow::Result<std::unique_ptr<OpenedJob>> OpenJob(const JobDefinition& definition,
                                                  const JobEnvironment& environment,
                                                  std::function<void()> wake);

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
struct OpenedSink {
  std::unique_ptr<connectors::SinkDriver> driver;
  RecoveryDecision decision;
};
arrow::Result<OpenedSink> OpenSink(const JobDefinition& definition,
                                   const JobEnvironment& environment, const SinkOpening& opening,
                                   const proto::PhysicalPlan& plan);

}  // namespace tidemill::driver
