#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "common/base/random.h"
#include "common/fs/file_system.h"

namespace tidemill::worker {

// The local directory of a worker: RocksDB and restores, nothing that a restart needs. Locked
// against other processes while this lives; what dead ones left in it is removed at both ends, but
// for what a worker leaves to its next incarnation: that has it once. A
// worker with an id of its own finds its directory again, <data>/<id>; that of an id which no
// process has twice is <data>/.passing/<id>, and goes with its worker or, where that was killed,
// with the next worker on this data directory, whatever its id. Blocks. *Immutable.*
class WorkerDirectory {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    Random* random = nullptr;
    std::string data_dir;
    std::string id;
    bool is_passing = false;
    std::string holder;  // what others are told
  };
  // Errors: WORKER_ID_IN_USE (kConflict) naming the holder.
  static arrow::Result<std::unique_ptr<WorkerDirectory>> Open(Options options);
  ~WorkerDirectory();

  const std::string& path() const { return path_; }
  // Where to leave something for the next incarnation; "" where none will find it.
  std::string kept_path() const;
  // Where the last one's is, as long as this lives; "" as above.
  std::string found_path() const;

 private:
  WorkerDirectory(Options options, std::string path, std::unique_ptr<FileLock> lock);
  arrow::Status Clear() const;
  arrow::Status TakeKept() const;

  const Options options_;
  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace tidemill::worker
