#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/fs/file_system.h"
#include "state/durable/records.h"
#include "state/table/hot_table.h"

namespace tidemill::state {

// A snapshot out of the checkpoint, verified and opened for reading in a local directory, which is
// removed at the end. *Thread-safe.*
class SnapshotReader {
 public:
  // Verifies size and checksum of every file before any is read. Errors: CHECKPOINT_CORRUPT.
  static arrow::Result<std::unique_ptr<SnapshotReader>> Open(FileSystem* fs,
                                                             const std::string& state_dir,
                                                             const std::string& local_dir,
                                                             const Snapshot& snapshot);
  // A database of this worker's own, which stays where it is; `epoch` is what its rows must be of.
  static arrow::Result<std::unique_ptr<SnapshotReader>> OpenLocal(const std::string& dir,
                                                                  int64_t epoch);
  ~SnapshotReader();

  // Adds the rows of a key group to its tables and tells them their last changed epoch. `find`
  // gives the table of an operator, nullptr where there is none. Errors: CHECKPOINT_CORRUPT; the
  // tables then hold some of the rows.
  arrow::Result<int64_t> ReadKeyGroup(uint32_t key_group,
                                      const std::function<HotTable*(int32_t)>& find) const;

 private:
  struct Impl;
  explicit SnapshotReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::state
