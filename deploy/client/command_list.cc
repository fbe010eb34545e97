#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/job_text.h"
#include "deploy/client/output_option.h"
#include "deploy/commands.h"
#include "driver/api/job_json.h"

namespace tidemill::deploy {

namespace {

struct ListOptions {
  DriverOptions driver;
  std::string format;
};

int64_t NowMicros() { return Clock::System()->Now().time_since_epoch().count(); }

arrow::Status ListJobs(const ListOptions& options) {
  ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
  ARROW_ASSIGN_OR_RAISE(const auto client, DriverClient::Connect(std::move(address)));
  ARROW_ASSIGN_OR_RAISE(const auto jobs, client->ListJobs());
  if (options.format == "json") {
    Print(driver::JobsJson(jobs) + "\n");
    return arrow::Status::OK();
  }
  Print(JobsText(jobs, NowMicros()));
  if (jobs.empty()) std::fprintf(stderr, "no jobs yet; submit one: tidemill submit JOB\n");
  return arrow::Status::OK();
}

arrow::Status ListWorkers(const ListOptions& options) {
  ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
  ARROW_ASSIGN_OR_RAISE(const auto client, DriverClient::Connect(std::move(address)));
  ARROW_ASSIGN_OR_RAISE(const auto cluster, client->GetCluster());
  if (options.format == "json") {
    Print(driver::ClusterJson(cluster) + "\n");
    return arrow::Status::OK();
  }
  Print(WorkersText(cluster, NowMicros()));
  if (cluster.workers().empty()) {
    std::fprintf(stderr, "no workers yet; start one: tidemill worker --driver %s\n",
                 client->address().address.c_str());
  }
  return arrow::Status::OK();
}

void AddListCommand(CLI::App* app, const char* name, const char* help,
                    arrow::Status (*list)(const ListOptions&), CommandResult* result) {
  CLI::App* command = app->add_subcommand(name, help);
  auto options = std::make_shared<ListOptions>();
  AddDriverOptions(command, &options->driver);
  AddOutputOption(command, &options->format, {"table", "json"});
  command->callback([options, list, result] { result->status = list(*options); });
}

}  // namespace

void AddPsCommand(CLI::App* app, CommandResult* result) {
  AddListCommand(app, "ps", "List the jobs of a cluster, newest first", ListJobs, result);
}

void AddWorkersCommand(CLI::App* app, CommandResult* result) {
  AddListCommand(app, "workers", "List the workers of a cluster", ListWorkers, result);
}

}  // namespace tidemill::deploy
