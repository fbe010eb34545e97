#include "worker/shared_files.h"

#include <arrow/result.h>
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::worker {

arrow::Status CheckSharedFile(FileSystem* fs, const std::string& worker, const SharedFile& file) {
  const auto contents = ReadFile(fs, file.path);
  if (contents.ok() && Hash64(*contents) == file.checksum) return arrow::Status::OK();
  std::string why = "a file that the driver has written holds something else here";
  if (!contents.ok()) {
    if (KindOf(contents.status()) != ErrorKind::kNotFound) {
      return MakeError(ErrorKind::kUnavailable, "SHARED_FILE_UNREADABLE",
                       fmt::format("the {} directory cannot be read now: worker={} path={}: {}",
                                   file.purpose, worker, file.path, contents.status().message()));
    }
    why = "a file that the driver has written is not there";
  }
  return WithHint(
      MakeError(ErrorKind::kInvalid, "NOT_SHARED",
                fmt::format("a worker does not see the {} directory as the driver does: worker={} "
                            "path={}: {}",
                            file.purpose, worker, ParentPath(file.path), why)),
      "checkpoint and sink must be on a file system that driver and workers share, at the same "
      "path");
}

void CheckSharedFiles(const SharedFilesCheck& check, std::vector<SharedFile> files,
                      std::function<void(const arrow::Status&)> done) {
  if (files.empty()) return done(arrow::Status::OK());
  check.io->Post([check, files = std::move(files), done = std::move(done)]() mutable {
    arrow::Status status;
    for (const SharedFile& file : files) {
      status = CheckSharedFile(check.fs, check.worker, file);
      if (!status.ok()) break;
    }
    check.executor->Post([status, done = std::move(done)] { done(status); });
  });
}

}  // namespace tidemill::worker
