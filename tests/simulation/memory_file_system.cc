#include "tests/simulation/memory_file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/base/error.h"

namespace tidemill::testing {

namespace {

arrow::Status NotFound(const std::string& path) {
  return MakeError(ErrorKind::kNotFound, "PATH_NOT_FOUND", fmt::format("no such path: {}", path));
}

arrow::Status Exists(const std::string& path) {
  return MakeError(ErrorKind::kConflict, "PATH_ALREADY_EXISTS",
                   fmt::format("path exists: {}", path));
}

arrow::Status IoError(const std::string& why, const std::string& path) {
  return MakeError(ErrorKind::kGeneral, "IO_ERROR", fmt::format("{}: path={}", why, path));
}

// What a step of a process may come to.
enum class Fate {
  kDone,      // it lives
  kDoneDied,  // it did the step and died
  kNothing,   // it died before
};

Fate TakeStep(VirtualTime* time, const ProcessPtr& process) {
  if (process != nullptr && process->is_dead) return Fate::kNothing;
  if (time->Step(process)) return Fate::kDone;
  return time->Chance(0.5) ? Fate::kDoneDied : Fate::kNothing;
}

arrow::Status Died(const std::string& path) { return IoError("the process is dead", path); }

}  // namespace

class MemoryDisk::Writer final : public WritableFile {
 public:
  Writer(MemoryDisk* disk, ProcessPtr process, std::string path, InodePtr inode)
      : disk_(disk),
        process_(std::move(process)),
        path_(std::move(path)),
        inode_(std::move(inode)) {}

  arrow::Status Append(std::string_view bytes) override {
    VirtualTime* time = disk_->time_;
    if (process_ != nullptr && process_->is_dead) return Died(path_);
    size_t written = bytes.size();
    arrow::Status status;
    if (!time->Step(process_)) {
      written = time->Draw(bytes.size() + 1);
      status = Died(path_);
    } else if (process_ != nullptr && time->Chance(disk_->faults.disk_full)) {
      written = time->Draw(bytes.size() + 1);
      time->Trace(fmt::format("{}: disk full", process_->name));
      status = MakeError(ErrorKind::kResource, "DISK_FULL", fmt::format("write: path={}", path_));
    }
    inode_->data.append(bytes.substr(0, written));
    inode_->mtime_us = time->now().count();
    return status;
  }

  arrow::Status Sync() override {
    VirtualTime* time = disk_->time_;
    const Fate fate = TakeStep(time, process_);
    if (fate == Fate::kNothing) return Died(path_);
    if (process_ != nullptr && time->Chance(disk_->faults.sync_error)) {
      time->Kill(process_, "a sync failed");
      return MakeError(ErrorKind::kBug, "FSYNC_FAILED", fmt::format("path={}", path_));
    }
    if (!disk_->forgets_sync || !disk_->forgets_sync(path_)) inode_->synced = inode_->data.size();
    return fate == Fate::kDone ? arrow::Status::OK() : Died(path_);
  }

  arrow::Status Close() override { return arrow::Status::OK(); }

 private:
  MemoryDisk* const disk_;
  const ProcessPtr process_;
  const std::string path_;
  const InodePtr inode_;
};

class MemoryDisk::Reader final : public ReadableFile {
 public:
  Reader(MemoryDisk* disk, ProcessPtr process, std::string path, InodePtr inode)
      : disk_(disk),
        process_(std::move(process)),
        path_(std::move(path)),
        inode_(std::move(inode)) {}

  arrow::Result<int64_t> ReadAt(int64_t offset, int64_t size, void* out) const override {
    VirtualTime* time = disk_->time_;
    if (!time->Step(process_)) return Died(path_);
    if (process_ != nullptr && time->Chance(disk_->faults.read_error)) {
      time->Trace(fmt::format("{}: cannot read", process_->name));
      return IoError("read", path_);
    }
    const auto length = static_cast<int64_t>(inode_->data.size());
    const int64_t got = std::clamp<int64_t>(length - offset, 0, size);
    if (got > 0) std::memcpy(out, inode_->data.data() + offset, got);
    return got;
  }

  arrow::Result<int64_t> Size() const override { return static_cast<int64_t>(inode_->data.size()); }

 private:
  MemoryDisk* const disk_;
  const ProcessPtr process_;
  const std::string path_;
  const InodePtr inode_;
};

class MemoryDisk::Held final : public FileLock {
 public:
  Held(MemoryDisk* disk, InodePtr inode) : disk_(disk), inode_(std::move(inode)) {}
  ~Held() override { disk_->locks_.erase(inode_); }

 private:
  MemoryDisk* const disk_;
  const InodePtr inode_;
};

class MemoryDisk::View final : public FileSystem {
 public:
  View(MemoryDisk* disk, ProcessPtr process) : disk_(disk), process_(std::move(process)) {}

  arrow::Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    const Fate fate = TakeStep(disk_->time_, process_);
    if (fate == Fate::kNothing) return Died(path);
    ARROW_RETURN_NOT_OK(CheckParent(path));
    if (disk_->names_.contains(path)) return Exists(path);
    auto inode = std::make_shared<Inode>();
    inode->mtime_us = disk_->time_->now().count();
    disk_->Make({.to = path, .inode = inode});
    if (fate == Fate::kDoneDied) return Died(path);
    return std::make_unique<Writer>(disk_, process_, path, std::move(inode));
  }

  arrow::Result<std::shared_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Step(path));
    const auto found = disk_->names_.find(path);
    if (found == disk_->names_.end()) return NotFound(path);
    if (found->second->is_directory) return IoError("is a directory", path);
    InodePtr inode = found->second;
    if (disk_->shows && process_ != nullptr) {
      inode = std::make_shared<Inode>(*inode);
      disk_->shows(*process_, path, &inode->data);
    }
    return std::make_shared<Reader>(disk_, process_, path, std::move(inode));
  }

  arrow::Result<FileInfo> Stat(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Step(path));
    const auto found = disk_->names_.find(path);
    if (found == disk_->names_.end()) return NotFound(path);
    return InfoOf(path, *found->second);
  }

  arrow::Result<std::vector<FileInfo>> List(const std::string& dir) override {
    ARROW_RETURN_NOT_OK(Step(dir));
    const auto found = disk_->names_.find(dir);
    if (found == disk_->names_.end()) return NotFound(dir);
    if (!found->second->is_directory) return IoError("is not a directory", dir);
    std::vector<FileInfo> entries;
    const std::string prefix = dir + "/";
    auto entry = disk_->names_.lower_bound(prefix);
    while (entry != disk_->names_.end() && entry->first.starts_with(prefix)) {
      const size_t slash = entry->first.find('/', prefix.size());
      if (slash == std::string::npos) {
        entries.push_back(InfoOf(entry->first, *entry->second));
        ++entry;
      } else {
        // Past everything in that directory.
        entry = disk_->names_.lower_bound(entry->first.substr(0, slash) + char('/' + 1));
      }
    }
    return entries;
  }

  arrow::Status Rename(const std::string& from, const std::string& to, RenameMode mode) override {
    const Fate fate = TakeStep(disk_->time_, process_);
    if (fate == Fate::kNothing) return Died(from);
    const auto found = disk_->names_.find(from);
    if (found == disk_->names_.end()) return NotFound(from);
    if (found->second->is_directory) return IoError("renames files only", from);
    ARROW_RETURN_NOT_OK(CheckParent(to));
    if (mode == RenameMode::kNoReplace && disk_->names_.contains(to)) return Exists(to);
    disk_->Make({.from = from, .to = to, .inode = InodePtr(found->second)});
    return fate == Fate::kDone ? arrow::Status::OK() : Died(from);
  }

  arrow::Status Remove(const std::string& path) override {
    const Fate fate = TakeStep(disk_->time_, process_);
    if (fate == Fate::kNothing) return Died(path);
    const auto found = disk_->names_.find(path);
    if (found == disk_->names_.end()) return arrow::Status::OK();
    const auto below = disk_->names_.lower_bound(path + "/");
    if (below != disk_->names_.end() && below->first.starts_with(path + "/")) {
      return IoError("directory is not empty", path);
    }
    disk_->Make({.from = path, .inode = InodePtr(found->second)});
    return fate == Fate::kDone ? arrow::Status::OK() : Died(path);
  }

  arrow::Status CreateDirectories(const std::string& path) override {
    if (path.empty() || path == "/") return arrow::Status::OK();
    const auto found = disk_->names_.find(path);
    if (found != disk_->names_.end()) {
      ARROW_RETURN_NOT_OK(Step(path));
      return found->second->is_directory ? arrow::Status::OK() : Exists(path);
    }
    ARROW_RETURN_NOT_OK(CreateDirectories(ParentPath(path)));
    const Fate fate = TakeStep(disk_->time_, process_);
    if (fate == Fate::kNothing) return Died(path);
    auto inode = std::make_shared<Inode>();
    inode->is_directory = true;
    disk_->Make({.to = path, .inode = std::move(inode)});
    return fate == Fate::kDone ? arrow::Status::OK() : Died(path);
  }

  arrow::Status SyncFile(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Step(path));
    const auto found = disk_->names_.find(path);
    if (found == disk_->names_.end()) return NotFound(path);
    return Writer(disk_, process_, path, found->second).Sync();
  }

  arrow::Status SyncDirectory(const std::string& dir) override {
    const Fate fate = TakeStep(disk_->time_, process_);
    if (fate == Fate::kNothing) return Died(dir);
    if (process_ != nullptr && disk_->time_->Chance(disk_->faults.sync_error)) {
      disk_->time_->Kill(process_, "a sync of a directory failed");
      return MakeError(ErrorKind::kBug, "FSYNC_FAILED", fmt::format("path={}", dir));
    }
    for (size_t i = 0; i < disk_->pending_.size();) {
      const Change& change = disk_->pending_[i];
      const bool is_here = ParentPath(change.from) == dir || ParentPath(change.to) == dir;
      if (!is_here) {
        ++i;
        continue;
      }
      disk_->MakeDurable(i);
      i = 0;
    }
    return fate == Fate::kDone ? arrow::Status::OK() : Died(dir);
  }

  arrow::Result<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                std::string_view holder) override {
    ARROW_RETURN_NOT_OK(Step(path));
    if (!disk_->has_locks) return std::make_unique<FileLock>();
    ARROW_RETURN_NOT_OK(CheckParent(path));
    if (!disk_->names_.contains(path)) {
      disk_->Make({.to = path, .inode = std::make_shared<Inode>()});
    }
    const InodePtr file = disk_->names_[path];
    if (disk_->locks_.contains(file)) {
      return MakeError(ErrorKind::kConflict, "FILE_LOCKED",
                       fmt::format("locked: path={} holder: {}", path, file->data));
    }
    file->data = holder;
    disk_->locks_[file] = process_;
    return std::make_unique<Held>(disk_, file);
  }

 private:
  arrow::Status Step(const std::string& path) const {
    return disk_->time_->Step(process_) ? arrow::Status::OK() : Died(path);
  }

  arrow::Status CheckParent(const std::string& path) const {
    const auto parent = disk_->names_.find(ParentPath(path));
    if (parent == disk_->names_.end()) return NotFound(path);
    return parent->second->is_directory ? arrow::Status::OK()
                                        : IoError("parent is not a directory", path);
  }

  static FileInfo InfoOf(const std::string& path, const Inode& inode) {
    return {.path = path,
            .is_directory = inode.is_directory,
            .size = static_cast<int64_t>(inode.data.size()),
            .mtime_us = inode.mtime_us,
            .is_regular = !inode.is_directory};
  }

  MemoryDisk* const disk_;
  const ProcessPtr process_;
};

std::unique_ptr<FileSystem> MemoryDisk::Mount(ProcessPtr process) {
  return std::make_unique<View>(this, std::move(process));
}

void MemoryDisk::Put(const std::string& path, std::string contents) {
  auto inode = std::make_shared<Inode>();
  inode->synced = contents.size();
  inode->data = std::move(contents);
  inode->mtime_us = time_->now().count();
  names_[path] = inode;
  durable_[path] = inode;
}

void MemoryDisk::MakeDirectory(const std::string& path) {
  auto inode = std::make_shared<Inode>();
  inode->is_directory = true;
  names_[path] = inode;
  durable_[path] = inode;
}

void MemoryDisk::Make(Change change) {
  Apply(change, &names_);
  pending_.push_back(std::move(change));
}

void MemoryDisk::Apply(const Change& change, Names* names) {
  if (!change.from.empty()) names->erase(change.from);
  if (!change.to.empty()) (*names)[change.to] = change.inode;
}

// With what happened to the same file before.
void MemoryDisk::MakeDurable(size_t index) {
  const Change change = std::move(pending_[index]);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
  for (size_t before = 0; before < std::min(index, pending_.size());) {
    if (pending_[before].inode != change.inode) {
      ++before;
      continue;
    }
    Apply(pending_[before], &durable_);
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(before));
    --index;
  }
  Apply(change, &durable_);
}

std::string MemoryDisk::AfterCrash(const Inode& inode) {
  const size_t unsynced = inode.data.size() - std::min(inode.synced, inode.data.size());
  if (unsynced == 0) return inode.data;
  const uint64_t kind = time_->Draw(4);
  if (kind == 0) return inode.data;
  const size_t kept = kind == 1 ? time_->Draw(unsynced + 1) : 0;
  std::string data = inode.data.substr(0, inode.synced + kept);
  // The file has grown, what was written has not come.
  if (kind == 2) data.append(time_->Draw(unsynced + 1), '\0');
  return data;
}

void MemoryDisk::Crash() {
  for (const Change& change : pending_) {
    if (time_->Chance(0.5)) Apply(change, &durable_);
  }
  pending_.clear();
  names_.clear();
  for (const auto& [path, inode] : durable_) {
    const std::string parent = ParentPath(path);
    if (parent != "/" && !parent.empty() && !names_.contains(parent)) continue;
    auto copy = std::make_shared<Inode>(*inode);
    copy->data = AfterCrash(*inode);
    copy->synced = copy->data.size();
    names_[path] = std::move(copy);
  }
  durable_ = names_;
  locks_.clear();
}

void MemoryDisk::Release(const ProcessPtr& process) {
  std::erase_if(locks_, [&](const auto& entry) { return entry.second == process; });
}

}  // namespace tidemill::testing
