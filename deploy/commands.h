#pragma once

#include <arrow/status.h>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace tidemill::deploy {

// Each adds one subcommand to the command line; its callback runs the command and returns the
// outcome through `result`, which must outlive the parse.
struct CommandResult {
  arrow::Status status;
  int exit_code = 0;  // used when status is OK: 130 and 143 for a forced stop
};

void AddRunCommand(CLI::App* app, CommandResult* result);
void AddExplainCommand(CLI::App* app, CommandResult* result);
void AddCheckpointCommand(CLI::App* app, CommandResult* result);
// Daemons.
void AddDriverCommand(CLI::App* app, CommandResult* result);

void AddVersionCommand(CLI::App* app, CommandResult* result);
void AddWorkerCommand(CLI::App* app, CommandResult* result);

// Clients of a driver.
void AddClusterCommand(CLI::App* app, CommandResult* result);
void AddSubmitCommand(CLI::App* app, CommandResult* result);
void AddPsCommand(CLI::App* app, CommandResult* result);
void AddStatusCommand(CLI::App* app, CommandResult* result);
void AddStopCommand(CLI::App* app, CommandResult* result);
void AddWorkersCommand(CLI::App* app, CommandResult* result);
void AddSqlCommand(CLI::App* app, CommandResult* result);

}  // namespace tidemill::deploy
