#include "worker/cluster/worker_directory.h"

#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

namespace {

constexpr char kLockFile[] = "lock";

}  // namespace

arrow::Result<std::unique_ptr<WorkerDirectory>> WorkerDirectory::Open(FileSystem* fs,
                                                                      const std::string& data_dir,
                                                                      const std::string& id,
                                                                      const std::string& holder) {
  const std::string path = JoinPath(data_dir, id);
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(path));
  auto lock = fs->Lock(JoinPath(path, kLockFile), holder);
  if (!lock.ok()) {
    if (KindOf(lock.status()) != ErrorKind::kConflict) return lock.status();
    return WithHint(
        MakeError(ErrorKind::kConflict, "WORKER_ID_IN_USE",
                  "a worker of this id runs on this machine: " + lock.status().message()),
        "give it another --id, or another --data directory");
  }
  std::unique_ptr<WorkerDirectory> directory(new WorkerDirectory(fs, path, *std::move(lock)));
  ARROW_RETURN_NOT_OK(directory->Clear());
  return directory;
}

WorkerDirectory::WorkerDirectory(FileSystem* fs, std::string path, std::unique_ptr<FileLock> lock)
    : fs_(fs), path_(std::move(path)), lock_(std::move(lock)) {}

// The lock's file stays: who waits for a lock on a name must find the same file.
WorkerDirectory::~WorkerDirectory() {
  (void)Clear();  // What stays is removed by the next one.
}

arrow::Status WorkerDirectory::Clear() {
  ARROW_ASSIGN_OR_RAISE(const auto entries, fs_->List(path_));
  for (const FileInfo& entry : entries) {
    if (BaseName(entry.path) != kLockFile) ARROW_RETURN_NOT_OK(RemoveTree(fs_, entry.path));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
