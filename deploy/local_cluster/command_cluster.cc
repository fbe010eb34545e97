#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/types/value_format.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/interrupt.h"
#include "deploy/client/output_option.h"
#include "deploy/client/text_table.h"
#include "deploy/commands.h"
#include "deploy/local_cluster/local_cluster.h"

namespace tidemill::deploy {

namespace {

struct ClusterOptions {
  std::string root;
  int workers = 0;
  int slots = 0;
  std::string format;
};

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

std::string StateJson(const ClusterState& state) {
  const ClusterFile& file = state.file;
  std::string workers;
  for (size_t i = 0; i < file.workers.size(); ++i) {
    const ClusterFile::Worker& worker = file.workers[i];
    if (i > 0) workers += ',';
    workers += fmt::format("{{\"id\":{},\"pid\":{},\"slots\":{},\"state\":{}}}", Quoted(worker.id),
                           worker.process.pid, worker.slots, Quoted(state.worker_states[i]));
  }
  return fmt::format("{{\"driver\":{{\"pid\":{},\"listen\":{},\"http\":{}}},\"workers\":[{}]}}\n",
                     file.driver.process.pid, Quoted(file.driver.listen), Quoted(file.driver.http),
                     workers);
}

std::string StateText(const ClusterState& state) {
  const ClusterFile& file = state.file;
  TextTable table({{"PROCESS"}, {"PID", true}, {"STATE"}, {"SLOTS", true}, {"LISTEN"}, {"HTTP"}});
  table.AddRow({"driver", std::to_string(file.driver.process.pid),
                state.driver_answers      ? "ALIVE"
                : state.driver_is_running ? "LOST"
                                          : "DEAD",
                "", file.driver.listen, file.driver.http});
  for (size_t i = 0; i < file.workers.size(); ++i) {
    const ClusterFile::Worker& worker = file.workers[i];
    table.AddRow({worker.id, std::to_string(worker.process.pid), state.worker_states[i],
                  CountText(worker.slots), "", ""});
  }
  return table.Text();
}

// The flag that commands need to find this cluster, with a space before it; "" where they find it.
std::string DriverFlag(const std::string& root, const ClusterFile& file) {
  const auto found_root = ClusterRootPath("");
  if (found_root.ok() && *found_root == root) return "";
  return " --driver " + file.driver.listen;
}

arrow::Status Up(const ClusterOptions& options, int* exit_code) {
  Interrupt interrupt;
  ARROW_ASSIGN_OR_RAISE(const std::string root, ClusterRootPath(options.root));
  const auto result = ClusterUp({root, options.workers, options.slots}, &interrupt);
  if (!result.ok()) {
    if (interrupt.signal() == 0) return result.status();
    std::fprintf(stderr, "%s\n", result.status().message().c_str());
    *exit_code = interrupt.exit_code();
    return arrow::Status::OK();
  }
  const ClusterFile& file = result->file;
  Print(fmt::format("cluster {} in {}\n", result->was_running ? "is already up" : "is up", root));
  if (!result->was_running)
    Print(fmt::format("  started   {}\n", fmt::join(result->started, ", ")));
  Print(fmt::format("  driver    {} (pid {}), http {}\n", file.driver.listen,
                    file.driver.process.pid, file.driver.http));
  for (const ClusterFile::Worker& worker : file.workers) {
    Print(fmt::format("  {:<9} {} slots (pid {})\n", worker.id, worker.slots, worker.process.pid));
  }
  const std::string flag = DriverFlag(root, file);
  std::fprintf(stderr, "next: tidemill submit JOB%s, tidemill ps%s; logs are in %s/logs\n",
               flag.c_str(), flag.c_str(), root.c_str());
  return arrow::Status::OK();
}

arrow::Status Down(const ClusterOptions& options, int* exit_code) {
  Interrupt interrupt;
  ARROW_ASSIGN_OR_RAISE(const std::string root, ClusterRootPath(options.root));
  const auto was_there = ClusterDown(root, &interrupt);
  if (!was_there.ok()) {
    if (interrupt.signal() == 0) return was_there.status();
    std::fprintf(stderr, "%s\n", was_there.status().message().c_str());
    *exit_code = interrupt.exit_code();
    return arrow::Status::OK();
  }
  if (*was_there) {
    Print(fmt::format("cluster in {} is down\n", root));
    std::fprintf(stderr, "its jobs stay registered; tidemill cluster up goes on with them\n");
  } else {
    std::fprintf(stderr, "no cluster in %s\n", root.c_str());
  }
  return arrow::Status::OK();
}

arrow::Status Status(const ClusterOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string root, ClusterRootPath(options.root));
  ARROW_ASSIGN_OR_RAISE(const auto state, DescribeCluster(root));
  if (!state) {
    return WithHint(MakeError(ErrorKind::kNotFound, "NO_CLUSTER",
                              fmt::format("there is no local cluster: root={}", root)),
                    "start one with tidemill cluster up");
  }
  Print(options.format == "json" ? StateJson(*state) : StateText(*state));
  if (!state->driver_answers) {
    std::fprintf(stderr, "the driver %s; tidemill cluster up starts what is missing\n",
                 state->driver_is_running ? "does not answer" : "does not run");
  }
  return arrow::Status::OK();
}

struct Action {
  CLI::App* command;
  std::shared_ptr<ClusterOptions> options;  // its own: variables are read for all of them
};

Action AddAction(CLI::App* parent, const char* name, const char* help) {
  Action action{parent->add_subcommand(name, help), std::make_shared<ClusterOptions>()};
  action.command
      ->add_option("--root", action.options->root, "directory of the cluster (default ~/.tidemill)")
      ->envname("TIDEMILL_ROOT");
  return action;
}

}  // namespace

void AddClusterCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command =
      app->add_subcommand("cluster", "Start, stop and show a local cluster in the background");
  command->require_subcommand(1);
  const Action up =
      AddAction(command, "up", "Start a driver and workers, or what is missing of them");
  up.command
      ->add_option("--workers", up.options->workers,
                   "how many; more than there are adds some (default 2)")
      ->envname("TIDEMILL_CLUSTER_WORKERS")
      ->check(CLI::Range(1, 64));
  up.command->add_option("--slots", up.options->slots, "slots per worker (default: one per core)")
      ->envname("TIDEMILL_CLUSTER_SLOTS")
      ->check(CLI::Range(1, 256));
  up.command->callback(
      [options = up.options, result] { result->status = Up(*options, &result->exit_code); });
  const Action down = AddAction(command, "down", "End its processes; jobs stay registered");
  down.command->callback(
      [options = down.options, result] { result->status = Down(*options, &result->exit_code); });
  const Action status = AddAction(command, "status", "Show its processes");
  AddOutputOption(status.command, &status.options->format, {"table", "json"});
  status.command->callback(
      [options = status.options, result] { result->status = Status(*options); });
}

}  // namespace tidemill::deploy
