#pragma once

#include <arrow/result.h>

#include <string>
#include <vector>

#include "deploy/local_cluster/cluster_file.h"

namespace tidemill::deploy {

// Processes of this same binary that outlive the command that starts them. The functions keep no
// state. *Thread-safe.*

// Starts `tidemill <words>` in a session of its own, without a shell: standard input is empty,
// output and errors are appended to `log`, the working directory is `directory`, nothing else of
// ours is open in it. The environment is ours without the variables that name a cluster (addresses,
// root, worker's name), which the words must say. Errors: CANNOT_START (kGeneral).
arrow::Result<ProcessId> StartDaemon(const std::vector<std::string>& words,
                                     const std::string& directory, const std::string& log);

// Whether that very process runs. A child of ours that has ended is reaped.
bool IsRunning(const ProcessId& process, const std::string& boot_id);
// Does nothing where the process has ended.
void Signal(const ProcessId& process, const std::string& boot_id, int signal_number);

// Identifies this start of the machine.
std::string BootId();

// The last lines of what a log holds from byte `begin` on, at most `bytes` of it; "" for nothing.
std::string EndOfLog(const std::string& path, int64_t begin, int64_t bytes);

}  // namespace tidemill::deploy
