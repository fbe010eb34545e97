#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "common/fs/file_system.h"

namespace tidemill::worker {

// The local directory of a worker, <data>/<id>: RocksDB and restores, nothing that a restart needs.
// Locked against other processes while this lives; what dead ones left in it is removed at both
// ends. Blocks. *Immutable.*
class WorkerDirectory {
 public:
  // `holder` is what others are told. Errors: WORKER_ID_IN_USE (kConflict) naming the holder.
  static arrow::Result<std::unique_ptr<WorkerDirectory>> Open(FileSystem* fs,
                                                              const std::string& data_dir,
                                                              const std::string& id,
                                                              const std::string& holder);
  ~WorkerDirectory();

  const std::string& path() const { return path_; }

 private:
  WorkerDirectory(FileSystem* fs, std::string path, std::unique_ptr<FileLock> lock);
  arrow::Status Clear();

  FileSystem* const fs_;
  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace tidemill::worker
