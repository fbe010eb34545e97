#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/cluster.pb.h"

namespace tidemill::deploy {

// What ps, status and workers print for people. Pure functions; `now_us` is since 1970.

// One line per job: id (its first 8 characters), name, state, epochs, rows, times.
std::string JobsText(const std::vector<proto::JobInfo>& jobs, int64_t now_us);
// Everything about one job: state, rates, the last epoch's phases, sources, sink, state operators.
std::string JobStatusText(const proto::GetJobReply& status, int64_t now_us);
std::string WorkersText(const proto::GetClusterReply& cluster, int64_t now_us);

// "RUNNING", as in JSON.
std::string StateName(proto::JobInfo::State state);

}  // namespace tidemill::deploy
