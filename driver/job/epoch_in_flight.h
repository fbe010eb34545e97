#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "connectors/sink.h"
#include "connectors/source.h"
#include "driver/job/progress.h"
#include "proto/control.pb.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// When the phases of an epoch began and ended; time points that never came are the epoch of the
// clock.
struct EpochTimes {
  Timestamp trigger{};  // wall clock: the poll of its input began
  SteadyTime poll_begin{};
  SteadyTime poll_end{};
  SteadyTime plan_begin{};
  SteadyTime plan_durable{};
  SteadyTime run_sent{};
  SteadyTime prepared{};
  SteadyTime sinks_committed{};
  SteadyTime commit_begin{};
  SteadyTime commit_durable{};
};

// Everything that the driver holds of an epoch from its plan to its commit. *Thread-compatible.*
struct EpochInFlight {
  proto::EpochPlan plan;   // as sent to workers
  uint64_t plan_hash = 0;  // of the logged plan
  std::vector<connectors::EpochInput> inputs;
  uint64_t attempt = 0;
  std::map<std::string, proto::Prepared> prepared;  // of this attempt, by worker
  std::shared_ptr<const std::vector<connectors::StagedOutput>> outputs;  // once all are prepared
  EpochTimes times;

  int64_t InputRows() const;
  // Of the stream that gave most: in files, or in the plan itself.
  int64_t LargestInputBytes() const;
  int64_t OutputRows() const;
};

// Begins a new attempt: forgets what the one before it prepared.
void BeginAttempt(uint64_t attempt, SteadyTime now, EpochInFlight* epoch);

// Takes the staged output out of all Prepared messages, in the order of worker names.
void TakeOutputs(EpochInFlight* epoch);

// Commit(epoch) of its newest attempt, without snapshots and next plan.
proto::CommitRecord MakeCommit(const EpochInFlight& epoch);

// What progress says of a committed epoch; identities, descriptions and rates are the caller's.
EpochProgress MakeProgress(const EpochInFlight& epoch);

}  // namespace tidemill::driver
