#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>

#include "common/fs/file_system.h"

namespace tidemill::deploy {

// A directory `tidemill-<uuid>` under TMPDIR for what only this process needs: local state, a
// temporary checkpoint. Removed with the object; where the process is killed, the next one that
// makes a scratch directory removes it: a lock in it tells that the owner is dead.
// *Thread-compatible.*
class ScratchDirectory {
 public:
  // Removes first what dead processes of this user have left.
  static arrow::Result<std::unique_ptr<ScratchDirectory>> Make();
  // Whoever works in it must have ended.
  ~ScratchDirectory();

  // The path of a directory in it, which is not made.
  std::string Path(const std::string& name) const;

 private:
  ScratchDirectory(std::string path, std::unique_ptr<FileLock> lock);

  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace tidemill::deploy
