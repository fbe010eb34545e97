#pragma once

#include <arrow/result.h>

#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "driver/cluster/cluster_root.h"
#include "driver/job/job_runner.h"
#include "driver/spec/job_spec.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// A submitted job that is ready to start; its id is definition.job_uuid. *Plain data.*
struct PlannedSubmission {
  JobSpec spec;
  JobDefinition definition;
  std::vector<std::string> warnings;
};

// Where submissions are planned. *Plain data.*
struct PlanningContext {
  FileSystem* fs = nullptr;
  Random* random = nullptr;
  const ClusterRoot* root = nullptr;
};

// Plans the jobs of a specification. An existing checkpoint gives a job its id, a new one takes a
// random one. Blocks on I/O. Errors: those of ReadJobText and PlanJob, with their places;
// INVALID_SUBMISSION (kInvalid); kCorrupt where a checkpoint cannot be read.
arrow::Result<std::vector<PlannedSubmission>> PlanSubmission(const PlanningContext& context,
                                                             const proto::SubmitRequest& request);

// The same for one job of the root, which keeps its id: CHECKPOINT_INCOMPATIBLE (kCorrupt) where
// its checkpoint is another job's by now.
arrow::Result<PlannedSubmission> PlanRegistered(const PlanningContext& context,
                                                const proto::RegisteredJob& job);

}  // namespace tidemill::driver
