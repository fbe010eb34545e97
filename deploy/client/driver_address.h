#pragma once

#include <arrow/result.h>

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace tidemill::deploy {

// Where a client command looks for its driver. *Plain data.*
struct DriverOptions {
  std::string driver;  // "host:port"; "" where the flag was not given
  std::string master;  // spark-submit's spelling of it: "tidemill://host:port"
  std::string root;    // "" where the flag was not given
};

// Adds --driver, --master and --root.
void AddDriverOptions(CLI::App* command, DriverOptions* options);

struct DriverAddress {
  std::string address;  // "host:port"
  std::string origin;   // how it was found: "--driver", "TIDEMILL_DRIVER", a file, "default"
};

// The first of: the flag, the environment (TIDEMILL_DRIVER), <root>/cluster.json, 127.0.0.1:7400.
// Errors: INVALID_ADDRESS (kUsage), and those of ReadClusterFile.
arrow::Result<DriverAddress> FindDriver(const DriverOptions& options);

// --root, TIDEMILL_ROOT or ~/.tidemill, absolute.
arrow::Result<std::string> ClusterRootPath(const std::string& flag);

}  // namespace tidemill::deploy
