#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "deploy/commands.h"

namespace {

constexpr int kUsageExitCode = 2;

// CLI11 would only say that a subcommand is required.
arrow::Status RequireKnownCommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return arrow::Status::OK();
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  const std::string word = argv[1];
  if (std::find(names.begin(), names.end(), word) != names.end()) return arrow::Status::OK();
  const auto status =
      tidemill::MakeError(tidemill::ErrorKind::kUsage, "UNKNOWN_COMMAND",
                          fmt::format("there is no such command: command={}", word));
  const std::string nearest = tidemill::NearestName(word, names);
  return tidemill::WithHint(status, nearest.empty()
                                        ? fmt::format("commands are {}", fmt::join(names, ", "))
                                        : fmt::format("did you mean {}?", nearest));
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Tidemill: streaming SQL with exactly-once results.\n"
      "Start here: tidemill run conf/examples/word_count.yaml");
  app.name("tidemill");
  app.require_subcommand(1);
  app.fallthrough();
  std::string log_level = "warn";
  app.add_option("--log-level", log_level, "lowest level logged to stderr")
      ->envname("TIDEMILL_LOG_LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.parse_complete_callback([&log_level] {
    using tidemill::LogLevel;
    tidemill::SetLogLevel(log_level == "debug"  ? LogLevel::kDebug
                          : log_level == "info" ? LogLevel::kInfo
                          : log_level == "warn" ? LogLevel::kWarn
                                                : LogLevel::kError);
  });

  tidemill::deploy::CommandResult result;
  tidemill::deploy::AddRunCommand(&app, &result);
  tidemill::deploy::AddDriverCommand(&app, &result);
  tidemill::deploy::AddClusterCommand(&app, &result);
  tidemill::deploy::AddSubmitCommand(&app, &result);
  tidemill::deploy::AddPsCommand(&app, &result);
  tidemill::deploy::AddStatusCommand(&app, &result);
  tidemill::deploy::AddStopCommand(&app, &result);
  tidemill::deploy::AddWorkersCommand(&app, &result);
  tidemill::deploy::AddSqlCommand(&app, &result);
  tidemill::deploy::AddExplainCommand(&app, &result);
  tidemill::deploy::AddCheckpointCommand(&app, &result);
  tidemill::deploy::AddWorkerCommand(&app, &result);
  tidemill::deploy::AddVersionCommand(&app, &result);
  if (const arrow::Status known = RequireKnownCommand(app, argc, argv); !known.ok()) {
    std::fprintf(stderr, "%s\n", tidemill::RenderError(known).c_str());
    return tidemill::ExitCodeOf(known);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // Prints help to stdout, errors to stderr.
    return code == 0 ? 0 : kUsageExitCode;
  }
  if (result.status.ok()) return result.exit_code;
  std::fprintf(stderr, "%s\n", tidemill::RenderError(result.status).c_str());
  return tidemill::ExitCodeOf(result.status);
}

}  // namespace

int main(int argc, char** argv) { return Main(argc, argv); }
