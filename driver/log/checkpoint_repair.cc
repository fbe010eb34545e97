#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "driver/log/checkpoint_show.h"
#include "driver/log/log_frame.h"
#include "driver/log/log_reader.h"

namespace tidemill::driver {

namespace {

// Whether a log that ends with the first `length` bytes of this file can be gone on from.
arrow::Result<bool> CanEndAt(FileSystem* fs, const std::string& checkpoint,
                             std::string_view prefix) {
  const ParsedFrames parsed = ParseFrames(prefix);
  if (parsed.frames.empty()) return true;  // The file before it becomes the newest.
  proto::LogRecord open;
  if (!open.ParseFromString(std::string(parsed.frames[0].payload)) || !open.has_open()) {
    return false;
  }
  const std::string& previous = open.open().previous_file();
  if (previous.empty() || fs->Stat(JoinPath(checkpoint, previous)).ok()) return true;
  proto::LogRecord second;
  return parsed.frames.size() > 1 &&
         second.ParseFromString(std::string(parsed.frames[1].payload)) && second.has_base();
}

arrow::Status SetAside(FileSystem* fs, const std::string& path) {
  return fs->Rename(path, path + ".damaged", RenameMode::kNoReplace);
}

// Cuts `damage.file` at the damage and sets everything newer aside.
arrow::Status CutAt(FileSystem* fs, const std::string& checkpoint, const LogPlace& damage,
                    std::vector<std::string>* done) {
  ARROW_ASSIGN_OR_RAISE(const auto files, ListLogFiles(fs, checkpoint));
  const auto damaged = std::find(files.begin(), files.end(), damage.file);
  if (damaged == files.end()) {
    return MakeError(ErrorKind::kNotFound, "PATH_NOT_FOUND",
                     fmt::format("log file not found: path={}", JoinPath(checkpoint, damage.file)));
  }
  const std::string path = JoinPath(checkpoint, damage.file);
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadFile(fs, path));
  const std::string prefix = text.substr(0, damage.offset);
  ARROW_ASSIGN_OR_RAISE(const bool can_end, CanEndAt(fs, checkpoint, prefix));
  if (!can_end || (prefix.empty() && damaged == files.begin())) {
    return WithHint(MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                              fmt::format("nothing before the damage is enough to go on from: "
                                          "file={} offset={}",
                                          path, damage.offset)),
                    "put the file back from a copy of the checkpoint");
  }
  for (auto newer = damaged + 1; newer != files.end(); ++newer) {
    ARROW_RETURN_NOT_OK(SetAside(fs, JoinPath(checkpoint, *newer)));
    done->push_back(fmt::format("{} set aside as {}.damaged", *newer, *newer));
  }
  if (prefix.size() < text.size()) {
    ARROW_RETURN_NOT_OK(SetAside(fs, path));
    if (!prefix.empty()) ARROW_RETURN_NOT_OK(PublishFile(fs, path, prefix));
    done->push_back(fmt::format("{} cut at {}, the whole kept as {}.damaged", damage.file,
                                damage.offset, damage.file));
  }
  return fs->SyncDirectory(JoinPath(checkpoint, "log"));
}

}  // namespace

arrow::Result<std::vector<std::string>> RepairLog(FileSystem* fs, const std::string& checkpoint) {
  auto lock = fs->Lock(JoinPath(checkpoint, "lock"), "checkpoint repair");
  if (!lock.ok()) {
    if (KindOf(lock.status()) != ErrorKind::kConflict) return lock.status();
    return MakeError(ErrorKind::kConflict, "CHECKPOINT_IN_USE", lock.status().message());
  }
  std::vector<std::string> done;
  while (true) {
    LogPlace damage;
    const auto contents = ReadLog(fs, checkpoint, &damage);
    if (contents.ok()) return done;
    if (damage.file.empty()) return contents.status();
    const size_t before = done.size();
    ARROW_RETURN_NOT_OK(CutAt(fs, checkpoint, damage, &done));
    if (done.size() == before) return contents.status();  // Nothing left to cut.
  }
}

}  // namespace tidemill::driver
