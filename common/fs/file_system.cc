#include "common/fs/file_system.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/base/random.h"

namespace tidemill {

arrow::Status FileSystem::SyncFile(const std::string&) { return arrow::Status::OK(); }

arrow::Result<std::unique_ptr<FileLock>> FileSystem::Lock(const std::string&, std::string_view) {
  return std::make_unique<FileLock>();
}

arrow::Status DiskFullError(std::string message) {
  return WithHint(MakeError(ErrorKind::kResource, "DISK_FULL", std::move(message)),
                  "make room on this file system, then start the job again: it goes on after its "
                  "last committed epoch");
}

std::string JoinPath(std::string_view dir, std::string_view name) {
  if (dir.empty()) return std::string(name);
  if (dir.back() == '/') return fmt::format("{}{}", dir, name);
  return fmt::format("{}/{}", dir, name);
}

std::string ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return std::string(slash == 0 ? path.substr(0, 1) : path.substr(0, slash));
}

std::string BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

arrow::Result<std::string> ReadFile(FileSystem* fs, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, fs->OpenForRead(path));
  ARROW_ASSIGN_OR_RAISE(int64_t size, file->Size());
  std::string contents(size, '\0');
  ARROW_ASSIGN_OR_RAISE(int64_t read, file->ReadAt(0, size, contents.data()));
  contents.resize(read);
  return contents;
}

arrow::Status PublishFile(FileSystem* fs, const std::string& path, std::string_view contents,
                          bool durable) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, NewUuid(Random::System()));
  ARROW_ASSIGN_OR_RAISE(auto file, fs->Create(temporary));
  ARROW_RETURN_NOT_OK(file->Append(contents));
  if (durable) ARROW_RETURN_NOT_OK(file->Sync());
  ARROW_RETURN_NOT_OK(file->Close());
  if (arrow::Status renamed = fs->Rename(temporary, path, RenameMode::kNoReplace); !renamed.ok()) {
    (void)fs->Remove(temporary);  // Only tidiness; the name is unique and means nothing.
    return renamed;
  }
  return durable ? fs->SyncDirectory(ParentPath(path)) : arrow::Status::OK();
}

arrow::Status RemoveTree(FileSystem* fs, const std::string& path) {
  auto entries = fs->List(path);
  if (!entries.ok()) {
    return KindOf(entries.status()) == ErrorKind::kNotFound ? arrow::Status::OK()
                                                            : entries.status();
  }
  for (const FileInfo& entry : *entries) {
    ARROW_RETURN_NOT_OK(entry.is_directory ? RemoveTree(fs, entry.path) : fs->Remove(entry.path));
  }
  return fs->Remove(path);
}

}  // namespace tidemill
