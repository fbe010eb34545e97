#pragma once

#include <arrow/result.h>

#include <vector>

#include "driver/cluster/cluster_root.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// The jobs of one specification are registered together or not at all: the file of the first one
// is written last and decides. Until then the others are in state UNKNOWN. `jobs` share an
// idempotency key, by which they know each other. Durable when it returns; where it fails nothing
// is registered. Blocks on I/O.
arrow::Status RegisterJobs(ClusterRoot* root, const std::vector<proto::RegisteredJob>& jobs);

// All registered jobs, oldest first; finishes registrations that a crash has cut short after the
// decision, and removes the others. Blocks on I/O. Errors: those of ClusterRoot::LoadJobs.
arrow::Result<std::vector<proto::RegisteredJob>> LoadRegisteredJobs(ClusterRoot* root);

}  // namespace tidemill::driver
