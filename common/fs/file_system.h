#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A file that is being written from its start or appended to. Append may buffer nothing: when it
// returns the bytes are the operating system's. Destruction closes without sync.
// *Thread-compatible.*
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual arrow::Status Append(std::string_view bytes) = 0;
  // fdatasync. An error is final: the file's contents are unknown and the caller ends the process
  // (ErrorKind::kBug), never retries.
  virtual arrow::Status Sync() = 0;
  virtual arrow::Status Close() = 0;
};

// *Thread-safe*: reads are positional.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Reads up to `size` bytes at `offset` into `out`; fewer only at the end of the file.
  virtual arrow::Result<int64_t> ReadAt(int64_t offset, int64_t size, void* out) const = 0;
  virtual arrow::Result<int64_t> Size() const = 0;
};

// Is held until it dies, or the process does.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  std::string path;
  bool is_directory = false;
  int64_t size = 0;
  int64_t mtime_us = 0;    // microseconds since 1970
  bool is_regular = true;  // false for directories, pipes, sockets, devices
};

enum class RenameMode {
  kReplace,    // the target, if any, is replaced atomically
  kNoReplace,  // AlreadyExists where the target exists
};

// The durable world: checkpoint, sources and file sinks go through this seam, so that tests and the
// simulation can inject faults. Paths are absolute or relative to the working directory. Errors are
// arrow::Status::IOError with the path and errno text; a missing path is ErrorKind::kNotFound, an
// exclusive create or kNoReplace that lost is ErrorKind::kConflict. *Thread-safe.*
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates a file that must not exist.
  virtual arrow::Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  virtual arrow::Result<std::shared_ptr<ReadableFile>> OpenForRead(const std::string& path) = 0;
  virtual arrow::Result<FileInfo> Stat(const std::string& path) = 0;
  // The entries of one directory in name order, `path` joined with `dir`; entries that vanish
  // meanwhile are left out.
  virtual arrow::Result<std::vector<FileInfo>> List(const std::string& dir) = 0;
  virtual arrow::Status Rename(const std::string& from, const std::string& to, RenameMode mode) = 0;
  // Removes a file or an empty directory; a missing one is fine.
  virtual arrow::Status Remove(const std::string& path) = 0;
  virtual arrow::Status CreateDirectories(const std::string& path) = 0;
  // Makes what anybody has written to the file durable (fdatasync); errors as those of
  // WritableFile::Sync. A file system that keeps all it has taken does nothing.
  virtual arrow::Status SyncFile(const std::string& path);
  // Makes the names in `dir` durable (fsync of the directory).
  virtual arrow::Status SyncDirectory(const std::string& dir) = 0;

  // Locks `path`, a file of its own (created where missing), against other processes and other
  // locks of this one; `holder` is written into it for others to read. ErrorKind::kConflict naming
  // the holder. A file system without locks gives one that keeps nobody out.
  virtual arrow::Result<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                        std::string_view holder);

  // The machine's own file system; lives for ever.
  static FileSystem* Local();
};

// DISK_FULL (kResource) with what to do.
arrow::Status DiskFullError(std::string message);

// Path arithmetic on '/' only.
std::string JoinPath(std::string_view dir, std::string_view name);
std::string ParentPath(std::string_view path);  // "" where there is none
std::string BaseName(std::string_view path);

// Reads a whole file.
arrow::Result<std::string> ReadFile(FileSystem* fs, const std::string& path);
// Publishes `contents` as `path` for ever: temporary name in the same directory, sync, rename
// without replacement, sync of the directory. ErrorKind::kConflict where `path` exists.
arrow::Status PublishFile(FileSystem* fs, const std::string& path, std::string_view contents,
                          bool durable = true);
// Removes `path` and everything below it.
arrow::Status RemoveTree(FileSystem* fs, const std::string& path);

}  // namespace tidemill
