#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "deploy/client/interrupt.h"
#include "deploy/local_cluster/cluster_file.h"

namespace tidemill::deploy {

// A driver and workers of this machine, as processes in the background; what is known about them is
// in <root>/cluster.json, their output in <root>/logs. One command at a time works on a root:
// CLUSTER_BUSY (kConflict). The functions keep no state. *Thread-compatible.*

struct ClusterUpOptions {
  std::string root;  // absolute
  int workers = 0;   // 0: as many as there are, 2 for a new cluster
  int slots = 0;     // per worker; 0: as there, else the worker's default
};

struct ClusterUpResult {
  ClusterFile file;
  bool was_running = false;          // nothing had to be started
  std::vector<std::string> started;  // "driver", "worker-2"
};

// Starts what is missing (all of it, dead processes, more workers) and waits until the driver
// answers and every worker is ALIVE, 15 s at most. Errors: CLUSTER_RUNNING (kConflict) where it
// runs with other settings; CLUSTER_NOT_UP (kUnavailable), with the end of the log at fault: what
// was started is stopped again. A signal ends the wait the same way (INTERRUPTED).
arrow::Result<ClusterUpResult> ClusterUp(const ClusterUpOptions& options, Interrupt* interrupt);

// Ends the driver, which drains its jobs and keeps them registered, then the workers; SIGKILL for
// what still runs after 10 s. False where there was no cluster.
arrow::Result<bool> ClusterDown(const std::string& root, Interrupt* interrupt);

struct ClusterState {
  ClusterFile file;
  bool driver_is_running = false;
  bool driver_answers = false;
  std::vector<std::string> worker_states;  // ALIVE, LEAVING, LOST, DEAD
};
// Nothing where there is no cluster.
arrow::Result<std::optional<ClusterState>> DescribeCluster(const std::string& root);

}  // namespace tidemill::deploy
