#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "deploy/commands.h"

namespace {

constexpr int kUsageExitCode = 2;

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
  tidemill::deploy::AddExplainCommand(&app, &result);
  tidemill::deploy::AddCheckpointCommand(&app, &result);
  tidemill::deploy::AddVersionCommand(&app, &result);
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
