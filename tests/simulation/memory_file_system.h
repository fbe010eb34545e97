#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fs/file_system.h"
#include "tests/simulation/virtual_time.h"

namespace tidemill::testing {

// Chances per call.
struct DiskFaults {
  double read_error = 0;  // EIO
  double disk_full = 0;   // ENOSPC, of an append, part of which may be there
  double sync_error = 0;  // fsync fails: the process ends, as it must
};

// The disk that all processes of a simulation share, in memory, as durable as POSIX says: bytes
// survive a crash of the machine once their file is synced, names once their directory is; of the
// rest chance decides. A crash of a process loses nothing that was written. *Thread-compatible.*
class MemoryDisk {
 public:
  // What a process sees of the disk; must not outlive the disk. Every call is a step of the
  // process, which may die at it: before, in the midst or after.
  std::unique_ptr<FileSystem> Mount(ProcessPtr process);

  explicit MemoryDisk(VirtualTime* time) : time_(time) {}

  DiskFaults faults;
  bool has_locks = true;  // false: Lock keeps nobody out
  // Planted bugs. A sync of such a file says that it is durable, and is not.
  std::function<bool(const std::string& path)> forgets_sync;
  // Changes what a process reads.
  std::function<void(const Process& reader, const std::string& path, std::string* contents)> shows;

  // From outside of the cluster: there at once and for ever.
  void Put(const std::string& path, std::string contents);
  void MakeDirectory(const std::string& path);

  // The machine loses power; all its processes must be dead.
  void Crash();
  // The process is dead: its locks are free.
  void Release(const ProcessPtr& process);

 private:
  class View;
  class Writer;
  class Reader;
  class Held;
  struct Inode {
    bool is_directory = false;
    std::string data;
    size_t synced = 0;  // bytes that survive
    int64_t mtime_us = 0;
  };
  using InodePtr = std::shared_ptr<Inode>;
  using Names = std::map<std::string, InodePtr>;
  // A change of names: `inode` leaves `from` and appears as `to` ("" for neither).
  struct Change {
    std::string from;
    std::string to;
    InodePtr inode;
  };

  void Make(Change change);
  void MakeDurable(size_t index);
  static void Apply(const Change& change, Names* names);
  std::string AfterCrash(const Inode& inode);

  VirtualTime* const time_;
  Names names_;
  Names durable_;
  std::vector<Change> pending_;           // made in names_, not in durable_
  std::map<InodePtr, ProcessPtr> locks_;  // a lock is the file's, not its name's
};

}  // namespace tidemill::testing
