#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "common/base/error.h"
#include "common/fs/file_system.h"

namespace tidemill {

namespace {

arrow::Status ErrnoStatus(std::string_view doing, const std::string& path) {
  const int error = errno;
  std::string message = fmt::format("{}: path={}: {}", doing, path, std::strerror(error));
  if (error == ENOENT) return MakeError(ErrorKind::kNotFound, "PATH_NOT_FOUND", std::move(message));
  if (error == EEXIST)
    return MakeError(ErrorKind::kConflict, "PATH_ALREADY_EXISTS", std::move(message));
  if (error == ENOSPC || error == EDQUOT) return DiskFullError(std::move(message));
  return MakeError(ErrorKind::kGeneral, "IO_ERROR", std::move(message));
}

class LocalWritableFile final : public WritableFile {
 public:
  LocalWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~LocalWritableFile() override {
    if (fd_ >= 0) ::close(fd_);
  }

  arrow::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus("write", path_);
      }
      bytes.remove_prefix(written);
    }
    return arrow::Status::OK();
  }

  arrow::Status Sync() override {
    if (::fdatasync(fd_) == 0) return arrow::Status::OK();
    return MakeError(ErrorKind::kBug, "FSYNC_FAILED",
                     fmt::format("fdatasync: path={}: {}", path_, std::strerror(errno)));
  }

  arrow::Status Close() override {
    const int result = ::close(std::exchange(fd_, -1));
    return result == 0 ? arrow::Status::OK() : ErrnoStatus("close", path_);
  }

 private:
  int fd_;
  const std::string path_;
};

class LocalReadableFile final : public ReadableFile {
 public:
  LocalReadableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~LocalReadableFile() override { ::close(fd_); }

  arrow::Result<int64_t> ReadAt(int64_t offset, int64_t size, void* out) const override {
    int64_t total = 0;
    while (total < size) {
      const ssize_t got =
          ::pread(fd_, static_cast<char*>(out) + total, size - total, offset + total);
      if (got < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus("read", path_);
      }
      if (got == 0) break;
      total += got;
    }
    return total;
  }

  arrow::Result<int64_t> Size() const override {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return ErrnoStatus("stat", path_);
    return info.st_size;
  }

 private:
  const int fd_;
  const std::string path_;
};

class LocalFileLock final : public FileLock {
 public:
  explicit LocalFileLock(int fd) : fd_(fd) {}
  ~LocalFileLock() override { ::close(fd_); }

 private:
  const int fd_;
};

FileInfo InfoOf(std::string path, const struct stat& info) {
  return {.path = std::move(path),
          .is_directory = S_ISDIR(info.st_mode),
          .size = info.st_size,
          .mtime_us = info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000,
          .is_regular = S_ISREG(info.st_mode)};
}

class LocalFileSystem final : public FileSystem {
 public:
  arrow::Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoStatus("create", path);
    return std::make_unique<LocalWritableFile>(fd, path);
  }

  arrow::Result<std::shared_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus("open", path);
    return std::make_shared<LocalReadableFile>(fd, path);
  }

  arrow::Result<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return ErrnoStatus("stat", path);
    return InfoOf(path, info);
  }

  arrow::Result<std::vector<FileInfo>> List(const std::string& dir) override {
    DIR* handle = ::opendir(dir.empty() ? "." : dir.c_str());
    if (handle == nullptr) return ErrnoStatus("list", dir);
    std::vector<FileInfo> entries;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info;
      if (::fstatat(::dirfd(handle), entry->d_name, &info, 0) != 0)
        continue;  // Vanished meanwhile.
      entries.push_back(InfoOf(JoinPath(dir, name), info));
    }
    ::closedir(handle);
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return entries;
  }

  arrow::Status Rename(const std::string& from, const std::string& to, RenameMode mode) override {
    const unsigned flags = mode == RenameMode::kNoReplace ? RENAME_NOREPLACE : 0;
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0)
      return arrow::Status::OK();
    return ErrnoStatus("rename", fmt::format("{} -> {}", from, to));
  }

  arrow::Status Remove(const std::string& path) override {
    if (::remove(path.c_str()) == 0 || errno == ENOENT) return arrow::Status::OK();
    return ErrnoStatus("remove", path);
  }

  arrow::Status CreateDirectories(const std::string& path) override {
    if (path.empty() || path == "/") return arrow::Status::OK();
    if (::mkdir(path.c_str(), 0777) == 0) return arrow::Status::OK();
    if (errno == EEXIST) {
      ARROW_ASSIGN_OR_RAISE(FileInfo info, Stat(path));
      if (info.is_directory) return arrow::Status::OK();
      return MakeError(ErrorKind::kConflict, "PATH_NOT_A_DIRECTORY",
                       fmt::format("not a directory: path={}", path));
    }
    if (errno != ENOENT) return ErrnoStatus("create directory", path);
    const std::string parent = ParentPath(path);
    if (parent.empty()) return ErrnoStatus("create directory", path);
    ARROW_RETURN_NOT_OK(CreateDirectories(parent));
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
      return ErrnoStatus("create directory", path);
    return arrow::Status::OK();
  }

  arrow::Status SyncFile(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus("open", path);
    const int result = ::fdatasync(fd);
    const int error = errno;
    ::close(fd);
    if (result == 0) return arrow::Status::OK();
    return MakeError(ErrorKind::kBug, "FSYNC_FAILED",
                     fmt::format("fdatasync: path={}: {}", path, std::strerror(error)));
  }

  arrow::Status SyncDirectory(const std::string& dir) override {
    const int fd = ::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus("open directory", dir);
    const int result = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (result == 0) return arrow::Status::OK();
    return MakeError(ErrorKind::kBug, "FSYNC_FAILED",
                     fmt::format("fsync of directory: path={}: {}", dir, std::strerror(error)));
  }

  arrow::Result<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                std::string_view holder) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoStatus("create", path);
    auto lock = std::make_unique<LocalFileLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return ErrnoStatus("lock", path);
      ARROW_ASSIGN_OR_RAISE(std::string other, ReadFile(this, path));
      return MakeError(ErrorKind::kConflict, "FILE_LOCKED",
                       fmt::format("another process holds the lock: path={} holder: {}", path,
                                   other.empty() ? "unknown" : other));
    }
    // Only for people; the lock is the file's, not the text's.
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, holder.data(), holder.size(), 0) < 0) {
      return ErrnoStatus("write", path);
    }
    return lock;
  }
};

}  // namespace

FileSystem* FileSystem::Local() {
  static LocalFileSystem file_system;
  return &file_system;
}

}  // namespace tidemill
