#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/logging.h"
#include "common/fs/file_system.h"
#include "deploy/build_name.h"
#include "deploy/commands.h"
#include "deploy/process_name.h"
#include "deploy/stop_signals.h"
#include "worker/cluster/worker_daemon.h"

namespace tidemill::deploy {

namespace {

constexpr char kDefaultDriver[] = "127.0.0.1:7400";

// Local state, worth nothing after a restart.
std::string DefaultDataDirectory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return JoinPath(cache, "tidemill/workers");
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return JoinPath(home, ".cache/tidemill/workers");
  const char* temporary = std::getenv("TMPDIR");
  return fmt::format("{}/tidemill-workers-{}", temporary == nullptr ? "/tmp" : temporary,
                     ::getuid());
}

arrow::Status RunWorker(worker::WorkerDaemon::Options options, int* exit_code) {
  if (options.drivers.empty() && options.root.empty()) options.drivers = {kDefaultDriver};
  if (options.slots == 0) options.slots = static_cast<int>(std::thread::hardware_concurrency());
  if (options.slots == 0) options.slots = 1;  // the system does not tell
  options.has_passing_id = options.id.empty();
  if (options.has_passing_id) options.id = UniqueProcessName();
  if (options.data_dir.empty()) options.data_dir = DefaultDataDirectory();
  options.holder = HolderText();
  options.build = BuildName();
  const std::string id = options.id;

  StopSignals signals;
  ARROW_ASSIGN_OR_RAISE(auto daemon, worker::WorkerDaemon::Start(std::move(options)));
  std::fprintf(stderr, "worker: %s, listening on %s\n", id.c_str(), daemon->listen().c_str());
  signals.Start([raw = daemon.get()](bool) { raw->Leave(); });
  arrow::Status ended = daemon->Wait();
  // What is forced does not wait for a disk or a peer that does not answer.
  if (signals.exit_code() != 0) ::_exit(signals.exit_code());
  signals.Finish();  // It would tell what is gone.
  daemon.reset();
  *exit_code = signals.exit_code();
  return ended;
}

}  // namespace

void AddWorkerCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("worker", "Run a worker of a cluster");
  auto options = std::make_shared<worker::WorkerDaemon::Options>();
  options->slots = 0;  // one per core
  command->add_option("--driver", options->drivers, "addresses of drivers, H:P[,H:P]")
      ->delimiter(',')
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_DRIVER");
  command
      ->add_option("--root", options->root, "the cluster's root: its newest driver is tried first")
      ->envname("TIDEMILL_ROOT");
  command
      ->add_option("--listen", options->listen,
                   "address for other workers (default: a free port of 127.0.0.1)")
      ->envname("TIDEMILL_WORKER_LISTEN");
  command
      ->add_option("--advertise", options->advertise,
                   "address that other workers connect to (default: the one listened on)")
      ->envname("TIDEMILL_WORKER_ADVERTISE");
  command->add_option("--slots", options->slots, "threads for jobs (default: one per core)")
      ->envname("TIDEMILL_WORKER_SLOTS")
      ->check(CLI::Range(1, 256));
  command
      ->add_option(
          "--memory", options->memory_bytes,
          "most memory of this worker, as 4g: state beyond it goes to the local disk where "
          "its operators allow that (default: no limit)")
      ->envname("TIDEMILL_WORKER_MEMORY")
      ->transform(CLI::AsSizeValue(false));
  command
      ->add_option("--data", options->data_dir,
                   "directory on a local disk (default: ~/.cache/tidemill/workers)")
      ->envname("TIDEMILL_WORKER_DATA");
  command->add_option("--id", options->id, "name, unique in the cluster (default: <host>-<pid>)")
      ->envname("TIDEMILL_WORKER_ID");
  command
      ->add_flag("--insecure-bind", options->allows_remote,
                 "allow addresses that are not loopback: whoever reaches them is let in")
      ->envname("TIDEMILL_INSECURE_BIND");
  command->callback([app, options, result] {
    // Who joins and leaves is what the log of a daemon is for.
    if (app->get_option("--log-level")->count() == 0) SetLogLevel(LogLevel::kInfo);
    result->status = RunWorker(*options, &result->exit_code);
  });
}

}  // namespace tidemill::deploy
