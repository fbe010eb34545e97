#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tidemill {

// Says when a file has come into a directory, by a rename or because who wrote it has closed it:
// inotify(7). A hint to look sooner, nothing more: it may come late, or, where another machine
// writes to a shared directory, never. *Thread-safe.*
class DirectoryWatch {
 public:
  virtual ~DirectoryWatch() = default;  // No call of `on_file` is left, or comes later.
};

// Called from the watch's own thread with the name of a file; "" where there were too many.
using FileArrived = std::function<void(std::string_view name)>;

// Watches a directory of this machine, not those below it. Errors: WATCH_FAILED (kResource) where
// the system has no watches left, (kNotFound) where there is no such directory.
arrow::Result<std::unique_ptr<DirectoryWatch>> WatchDirectory(const std::string& directory,
                                                              FileArrived on_file);

}  // namespace tidemill
