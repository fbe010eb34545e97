// What is asked about one job: status, stop.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/interrupt.h"
#include "deploy/client/job_text.h"
#include "deploy/client/output_option.h"
#include "deploy/commands.h"
#include "driver/api/job_json.h"

namespace tidemill::deploy {

namespace {

constexpr std::chrono::milliseconds kPollDelay{100};

struct JobOptions {
  DriverOptions driver;
  std::string job;
  std::string format;
  bool now = false;
};

arrow::Status ShowStatus(const JobOptions& options) {
  ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
  ARROW_ASSIGN_OR_RAISE(const auto client, DriverClient::Connect(std::move(address)));
  ARROW_ASSIGN_OR_RAISE(const auto status, client->GetJob(options.job));
  Print(options.format == "json"
            ? driver::JobStatusJson(status) + "\n"
            : JobStatusText(status, Clock::System()->Now().time_since_epoch().count()));
  return arrow::Status::OK();
}

arrow::Status ReportStopped(const proto::JobInfo& job, const JobOptions& options) {
  if (options.format == "json") {
    Print(driver::JobJson(job) + "\n");
    return arrow::Status::OK();
  }
  const std::string epoch =
      job.last_committed() < 0 ? "none" : std::to_string(job.last_committed());
  Print(fmt::format("{}  {}  last epoch {}\n", job.name(), StateName(job.state()), epoch));
  return arrow::Status::OK();
}

// Asks for the stop once, then until it is over: an epoch that is open may take its time.
arrow::Status Stop(const JobOptions& options, int* exit_code) {
  Interrupt interrupt;
  ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
  ARROW_ASSIGN_OR_RAISE(const auto client, DriverClient::Connect(std::move(address)));
  ARROW_ASSIGN_OR_RAISE(proto::JobInfo job, client->StopJob(options.job, options.now));
  while (!HasEnded(job)) {
    if (!interrupt.Sleep(kPollDelay)) {
      std::fprintf(stderr, "%s goes on stopping; see tidemill status %s\n", job.name().c_str(),
                   job.name().c_str());
      *exit_code = interrupt.exit_code();
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(auto status, client->GetJob(job.id()));
    job = std::move(*status.mutable_info());
  }
  return ReportStopped(job, options);
}

}  // namespace

void AddStatusCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("status", "Show the state and the progress of a job");
  auto options = std::make_shared<JobOptions>();
  command->add_option("JOB", options->job, "id, unique prefix of one, or name")->required();
  AddDriverOptions(command, &options->driver);
  AddOutputOption(command, &options->format, {"table", "json"});
  command->callback([options, result] { result->status = ShowStatus(*options); });
}

void AddStopCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("stop", "Stop a job after its epoch, and wait for it");
  auto options = std::make_shared<JobOptions>();
  command->add_option("JOB", options->job, "id, unique prefix of one, or name")->required();
  command->add_flag("--now", options->now, "do not finish the open epoch; the next start runs it")
      ->envname("TIDEMILL_STOP_NOW");
  AddDriverOptions(command, &options->driver);
  AddOutputOption(command, &options->format, {"table", "json"});
  command->callback([options, result] { result->status = Stop(*options, &result->exit_code); });
}

}  // namespace tidemill::deploy
