#include <arrow/result.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "deploy/commands.h"
#include "driver/log/checkpoint_show.h"
#include "state/durable/verify.h"
#include "worker/rpc/messages.h"

namespace tidemill::deploy {

namespace {

arrow::Status Show(const std::string& dir) {
  return driver::ShowCheckpoint(FileSystem::Local(), dir, [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  });
}

arrow::Status Verify(const std::string& dir) {
  ARROW_ASSIGN_OR_RAISE(const driver::VerifiedLog log, driver::VerifyLog(FileSystem::Local(), dir));
  std::vector<state::Snapshot> snapshots;
  for (const auto& snapshot : log.snapshots) snapshots.push_back(worker::ReadSnapshot(snapshot));
  std::vector<state::Extent> extents;
  for (const auto& extent : log.extents) extents.push_back(worker::ReadExtent(extent));
  const state::VerifyReport report =
      state::VerifyState(FileSystem::Local(), JoinPath(dir, "state"), snapshots, extents);
  // The first one is this command's error.
  for (size_t i = 1; i < report.problems.size(); ++i)
    std::fprintf(stderr, "%s\n", RenderError(report.problems[i]).c_str());
  std::printf("log records: %ld, last committed epoch: %ld, torn bytes at the end: %ld\n",
              log.records, log.last_committed, log.torn_bytes);
  std::printf("state: %ld snapshot files, %ld extents, %ld bytes, %zu bad\n", report.snapshot_files,
              report.extents, report.bytes, report.problems.size());
  if (!report.problems.empty()) return report.problems.front();
  std::printf("checkpoint is sound\n");
  return arrow::Status::OK();
}

arrow::Status Repair(const std::string& dir) {
  ARROW_ASSIGN_OR_RAISE(auto lines, driver::RepairLog(FileSystem::Local(), dir));
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
  if (lines.empty()) std::printf("nothing is damaged\n");
  return arrow::Status::OK();
}

void AddAction(CLI::App* command, const std::string& name, const std::string& help,
               arrow::Status (*action)(const std::string&), CommandResult* result) {
  CLI::App* sub = command->add_subcommand(name, help);
  auto dir = std::make_shared<std::string>();
  sub->add_option("DIR", *dir, "checkpoint directory")->required();
  sub->callback([dir, action, result] { result->status = action(*dir); });
}

}  // namespace

void AddCheckpointCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("checkpoint", "Look into a checkpoint directory");
  command->require_subcommand(1);
  AddAction(command, "show", "Print the log and the state files", Show, result);
  AddAction(command, "verify", "Check every checksum and the hash chain", Verify, result);
  AddAction(command, "repair", "Give up a damaged end of the log; read what it says first", Repair,
            result);
}

}  // namespace tidemill::deploy
