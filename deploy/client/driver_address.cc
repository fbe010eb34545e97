#include "deploy/client/driver_address.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "deploy/local_cluster/cluster_file.h"

namespace tidemill::deploy {

namespace {

constexpr const char* kDefaultAddress = "127.0.0.1:7400";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

arrow::Result<DriverAddress> Checked(std::string address, std::string origin) {
  // A list is for workers, which try one after the other; a client takes the first.
  address = address.substr(0, address.find(','));
  const size_t colon = address.rfind(':');
  int port = 0;
  const char* const end = address.data() + address.size();
  const bool is_number = colon != std::string::npos &&
                         std::from_chars(address.data() + colon + 1, end, port).ptr == end &&
                         address.back() != ':';
  if (!is_number || colon == 0 || port < 1 || port > 65535) {
    return MakeError(ErrorKind::kUsage, "INVALID_ADDRESS",
                     fmt::format("{} wants host:port: got '{}'", origin, address));
  }
  return DriverAddress{std::move(address), std::move(origin)};
}

arrow::Result<DriverAddress> FromMaster(const std::string& master) {
  constexpr std::string_view kScheme = "tidemill://";
  if (master.rfind(kScheme, 0) == 0) return Checked(master.substr(kScheme.size()), "--master");
  return WithHint(MakeError(ErrorKind::kUsage, "INVALID_ADDRESS",
                            fmt::format("--master wants tidemill://host:port: got '{}'", master)),
                  "to run a job without a cluster: tidemill run JOB");
}

}  // namespace

void AddDriverOptions(CLI::App* command, DriverOptions* options) {
  auto* driver = command->add_option("--driver", options->driver,
                                     "host:port of the driver (Env:TIDEMILL_DRIVER)");
  command
      ->add_option("--master", options->master,
                   "the same as spark-submit spells it: tidemill://host:port")
      ->excludes(driver);
  command
      ->add_option("--root", options->root,
                   "root of the local cluster whose driver is meant (default ~/.tidemill)")
      ->envname("TIDEMILL_ROOT");
}

arrow::Result<std::string> ClusterRootPath(const std::string& flag) {
  std::string root = flag.empty() ? Environment("TIDEMILL_ROOT") : flag;
  if (root.empty()) {
    const std::string home = Environment("HOME");
    if (home.empty()) {
      return MakeError(ErrorKind::kUsage, "NO_ROOT",
                       "HOME is not set: name a directory with --root");
    }
    root = JoinPath(home, ".tidemill");
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(root, error).lexically_normal();
  if (error) return arrow::Status::IOError("cannot make absolute: path=", root);
  std::string text = path.string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

arrow::Result<DriverAddress> FindDriver(const DriverOptions& options) {
  if (!options.driver.empty()) return Checked(options.driver, "--driver");
  if (!options.master.empty()) return FromMaster(options.master);
  const std::string from_environment = Environment("TIDEMILL_DRIVER");
  if (!from_environment.empty()) return Checked(from_environment, "TIDEMILL_DRIVER");
  // Without a home directory there is no cluster of ours to look for.
  const auto root = ClusterRootPath(options.root);
  if (root.ok()) {
    ARROW_ASSIGN_OR_RAISE(const auto file, ReadClusterFile(FileSystem::Local(), *root));
    if (file) return Checked(file->driver.listen, ClusterFilePath(*root));
  }
  return DriverAddress{kDefaultAddress, "default"};
}

}  // namespace tidemill::deploy
