#include <arrow/result.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/fs/file_system.h"
#include "deploy/commands.h"
#include "driver/log/checkpoint_show.h"

namespace tidemill::deploy {

namespace {

arrow::Status Show(const std::string& dir) {
  return driver::ShowCheckpoint(FileSystem::Local(), dir, [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  });
}

// Compares one range of a state file with the checksum that the log has for it.
arrow::Status CheckReference(const std::string& state_dir,
                             const driver::StateReference& reference) {
  const std::string path = JoinPath(state_dir, reference.file);
  ARROW_ASSIGN_OR_RAISE(auto file, FileSystem::Local()->OpenForRead(path));
  std::string bytes(reference.length, '\0');
  ARROW_ASSIGN_OR_RAISE(int64_t read,
                        file->ReadAt(reference.offset, reference.length, bytes.data()));
  bytes.resize(read);
  const uint64_t actual = Hash64(bytes);
  if (read == reference.length && actual == reference.checksum) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
      fmt::format("checksum differs: file={} offset={} length={} expected={} actual={}", path,
                  reference.offset, reference.length, HexOf(reference.checksum), HexOf(actual)));
}

arrow::Status Verify(const std::string& dir) {
  ARROW_ASSIGN_OR_RAISE(driver::VerifiedLog log, driver::VerifyLog(FileSystem::Local(), dir));
  arrow::Status first_problem;
  int64_t bytes = 0;
  int problems = 0;
  for (const driver::StateReference& reference : log.references) {
    bytes += reference.length;
    arrow::Status checked = CheckReference(JoinPath(dir, "state"), reference);
    if (checked.ok()) continue;
    // A missing file is as bad as a damaged one.
    if (KindOf(checked) != ErrorKind::kCorrupt) {
      checked = MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT", checked.message());
    }
    std::fprintf(stderr, "%s\n", RenderError(checked).c_str());
    ++problems;
    if (first_problem.ok()) first_problem = checked;
  }
  std::printf("log records: %ld, last committed epoch: %ld, torn bytes at the end: %ld\n",
              log.records, log.last_committed, log.torn_bytes);
  std::printf("state: %zu references, %ld bytes, %d bad\n", log.references.size(), bytes, problems);
  if (first_problem.ok()) std::printf("checkpoint is sound\n");
  return first_problem;
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
