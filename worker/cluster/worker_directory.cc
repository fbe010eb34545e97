#include "worker/cluster/worker_directory.h"

#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"

namespace tidemill::worker {

namespace {

constexpr char kLockFile[] = "lock";
constexpr char kKept[] = ".kept";  // ids of jobs do not begin with a dot
constexpr char kFound[] = ".found";
constexpr char kPassing[] = ".passing";  // ids do not begin with a dot
constexpr char kUnfinished[] = ".new-";  // nor these: not locked yet, perhaps

// Directories whose worker has died. Those that are locked are alive; those that vanish meanwhile
// are being removed by another worker that starts.
void RemoveDead(FileSystem* fs, const std::string& passing) {
  const auto entries = fs->List(passing);
  if (!entries.ok()) return;  // There are none.
  for (const FileInfo& entry : *entries) {
    if (!entry.is_directory || BaseName(entry.path).starts_with(kUnfinished)) continue;
    const auto lock = fs->Lock(JoinPath(entry.path, kLockFile), "removes what a dead worker left");
    if (!lock.ok()) continue;
    const arrow::Status removed = RemoveTree(fs, entry.path);
    if (removed.ok()) {
      LogInfo("dead_worker_removed").With("path", entry.path);
    } else {
      LogWarn("dead_worker_left").With("path", entry.path).With("why", removed.message());
    }
  }
}

arrow::Result<std::unique_ptr<FileLock>> MakeLocked(const WorkerDirectory::Options& options,
                                                    const std::string& path) {
  ARROW_RETURN_NOT_OK(options.fs->CreateDirectories(path));
  return options.fs->Lock(JoinPath(path, kLockFile), options.holder);
}

// Locked before it has the name under which others look for dead ones.
arrow::Result<std::unique_ptr<FileLock>> MakePassing(const WorkerDirectory::Options& options,
                                                     const std::string& path) {
  const std::string unfinished = JoinPath(ParentPath(path), kUnfinished + NewUuid(options.random));
  ARROW_ASSIGN_OR_RAISE(auto lock, MakeLocked(options, unfinished));
  ARROW_RETURN_NOT_OK(options.fs->Rename(unfinished, path, RenameMode::kNoReplace));
  return lock;
}

}  // namespace

arrow::Result<std::unique_ptr<WorkerDirectory>> WorkerDirectory::Open(Options options) {
  const std::string passing = JoinPath(options.data_dir, kPassing);
  RemoveDead(options.fs, passing);
  std::string path = JoinPath(options.is_passing ? passing : options.data_dir, options.id);
  auto lock = options.is_passing ? MakePassing(options, path) : MakeLocked(options, path);
  if (!lock.ok()) {
    if (KindOf(lock.status()) != ErrorKind::kConflict) return lock.status();
    return WithHint(
        MakeError(ErrorKind::kConflict, "WORKER_ID_IN_USE",
                  "a worker of this id runs on this machine: " + lock.status().message()),
        "give it another --id, or another --data directory");
  }
  std::unique_ptr<WorkerDirectory> directory(
      new WorkerDirectory(std::move(options), std::move(path), *std::move(lock)));
  ARROW_RETURN_NOT_OK(directory->Clear());
  ARROW_RETURN_NOT_OK(directory->TakeKept());
  return directory;
}

WorkerDirectory::WorkerDirectory(Options options, std::string path, std::unique_ptr<FileLock> lock)
    : options_(std::move(options)), path_(std::move(path)), lock_(std::move(lock)) {}

// What cannot be removed goes with the next one. The lock's file of an id that may come back stays:
// who waits for a lock on a name must find the same file.
WorkerDirectory::~WorkerDirectory() {
  if (options_.is_passing) {
    (void)RemoveTree(options_.fs, path_);
  } else {
    (void)Clear();
  }
}

std::string WorkerDirectory::kept_path() const {
  return options_.is_passing ? "" : JoinPath(path_, kKept);
}

std::string WorkerDirectory::found_path() const {
  return options_.is_passing ? "" : JoinPath(path_, kFound);
}

arrow::Status WorkerDirectory::TakeKept() const {
  if (options_.is_passing || !options_.fs->Stat(kept_path()).ok()) return arrow::Status::OK();
  return options_.fs->Rename(kept_path(), found_path(), RenameMode::kNoReplace);
}

arrow::Status WorkerDirectory::Clear() const {
  ARROW_ASSIGN_OR_RAISE(const auto entries, options_.fs->List(path_));
  for (const FileInfo& entry : entries) {
    const std::string name = BaseName(entry.path);
    if (name != kLockFile && name != kKept) {
      ARROW_RETURN_NOT_OK(RemoveTree(options_.fs, entry.path));
    }
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
