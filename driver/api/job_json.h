#pragma once

#include <string>
#include <vector>

#include "proto/cluster.pb.h"

namespace tidemill::driver {

// The JSON that scripts read, the same from the command line (-o json) and from HTTP. Keys are
// camelCase as in Spark's progress, times are ISO 8601 UTC, names of states as in JobInfo.State.

// {"id":..,"name":..,"state":"RUNNING","error":null|{"errorClass":..,"message":..},"submitted":..,
// "finished":..,"lastBatchId":..,"batches":..,"inputRows":..,"outputRows":..,"slots":..,
// "checkpointLocation":..,"runId":..}
std::string JobJson(const proto::JobInfo& job);
// {"jobs":[..]}
std::string JobsJson(const std::vector<proto::JobInfo>& jobs);
// JobJson with "lastProgress" (null before the first) and "recentProgress", in Spark's shape.
std::string JobStatusJson(const proto::GetJobReply& status);
// {"id":..,"incarnation":..,"slots":..,"state":"ALIVE","exchange":..,"heartbeatAgeMs":..,"jobs":..}
std::string WorkerJson(const proto::WorkerInfo& worker);
// {"workers":[..]}
std::string WorkersJson(const std::vector<proto::WorkerInfo>& workers);
// {"term":..,"pid":..,"listen":..,"http":..,"root":..,"build":..,"workers":[..]}
std::string ClusterJson(const proto::GetClusterReply& cluster);

}  // namespace tidemill::driver
