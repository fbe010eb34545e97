#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "common/base/error.h"
#include "deploy/build_name.h"
#include "deploy/commands.h"
#include "deploy/config_file.h"
#include "deploy/stop_signals.h"
#include "driver/cluster/driver_daemon.h"

namespace tidemill::deploy {

namespace {

struct DriverOptions {
  std::string listen = "127.0.0.1:7400";
  std::string http = "127.0.0.1:7480";
  std::string root;
  std::string config;
  bool insecure_bind = false;
};

arrow::Result<bool> ParseFlag(const std::string& key, const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  return MakeError(ErrorKind::kInvalid, "INVALID_CONFIGURATION",
                   fmt::format("{} is true or false: got '{}'", key, text));
}

// Takes from the configuration file what neither a flag nor a variable has set.
arrow::Status ApplyConfig(const CLI::App& command, DriverOptions* options) {
  if (options->config.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(
      const auto values,
      ReadConfigFile(options->config, {"listen", "http", "root", "insecure-bind"}));
  for (const auto& [key, value] : values) {
    if (command.get_option("--" + key)->count() > 0) continue;
    if (key == "listen") options->listen = value;
    if (key == "http") options->http = value;
    if (key == "root") options->root = value;
    if (key == "insecure-bind") {
      ARROW_ASSIGN_OR_RAISE(options->insecure_bind, ParseFlag(key, value));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> RootOf(const DriverOptions& options) {
  std::filesystem::path path = options.root;
  if (path.empty()) {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
      return MakeError(ErrorKind::kUsage, "NO_ROOT",
                       "there is no home directory for the default root: name one with --root");
    }
    path = std::filesystem::path(home) / ".tidemill";
  }
  std::error_code error;
  path = std::filesystem::absolute(path, error).lexically_normal();
  if (error) {
    return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                     fmt::format("the root cannot be resolved: {}", error.message()));
  }
  if (!path.has_filename()) path = path.parent_path();
  return path.string();
}

arrow::Status RunDriver(const CLI::App& command, DriverOptions options, int* exit_code) {
  ARROW_RETURN_NOT_OK(ApplyConfig(command, &options));
  ARROW_ASSIGN_OR_RAISE(const std::string root, RootOf(options));
  StopSignals signals;
  ARROW_ASSIGN_OR_RAISE(auto daemon,
                        driver::DriverDaemon::Start({.listen = options.listen,
                                                     .http = options.http,
                                                     .root = root,
                                                     .build = BuildName(),
                                                     .allows_remote = options.insecure_bind}));
  std::fprintf(stderr, "driver: listening on %s, http %s, root %s, term %llu\n",
               daemon->listen().c_str(), daemon->http().c_str(), root.c_str(),
               static_cast<unsigned long long>(daemon->term()));
  signals.Start([raw = daemon.get()](bool) { raw->Stop(); });
  arrow::Status ended = daemon->Wait();
  signals.Finish();  // It would stop what is gone.
  daemon.reset();
  *exit_code = signals.exit_code();
  return ended;
}

}  // namespace

void AddDriverCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("driver", "Run the driver of a cluster");
  auto options = std::make_shared<DriverOptions>();
  command->add_option("--listen", options->listen, "address for workers and clients")
      ->envname("TIDEMILL_DRIVER_LISTEN");
  command->add_option("--http", options->http, "address of the HTTP port")
      ->envname("TIDEMILL_DRIVER_HTTP");
  command
      ->add_option("--root", options->root,
                   "directory of terms, jobs and default checkpoints (default: ~/.tidemill)")
      ->envname("TIDEMILL_ROOT");
  command->add_option("--config", options->config, "YAML file with the same keys as these flags")
      ->envname("TIDEMILL_CONFIG");
  command
      ->add_flag("--insecure-bind", options->insecure_bind,
                 "allow addresses that are not loopback: whoever reaches them is let in")
      ->envname("TIDEMILL_INSECURE_BIND");
  command->callback([command, options, result] {
    result->status = RunDriver(*command, *options, &result->exit_code);
  });
}

}  // namespace tidemill::deploy
