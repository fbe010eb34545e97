#include "deploy/scratch_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/base/random.h"

namespace tidemill::deploy {

namespace {

constexpr std::string_view kPrefix = "tidemill-";
constexpr size_t kUuidSize = 36;
constexpr const char* kLock = "lock";
constexpr int kMaxTries = 100;

std::string TemporaryBase() {
  const char* base = std::getenv("TMPDIR");
  return base == nullptr || *base == '\0' ? "/tmp" : base;
}

std::string LockOf(const std::string& directory) { return JoinPath(directory, kLock); }

bool IsScratchName(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kUuidSize) return false;
  return name.find_first_not_of("0123456789abcdef-", kPrefix.size()) == std::string_view::npos;
}

// Everybody may write to TMPDIR: what another user made there, or a link, is left alone.
bool IsOurDirectory(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

// Failures are not ours to solve: the directory stays.
void RemoveLeftovers(FileSystem* fs, const std::string& base) {
  const auto entries = fs->List(base);
  if (!entries.ok()) return;
  for (const FileInfo& entry : *entries) {
    if (!IsScratchName(BaseName(entry.path)) || !IsOurDirectory(entry.path)) continue;
    if (!fs->Stat(LockOf(entry.path)).ok()) continue;
    const auto lock = fs->Lock(LockOf(entry.path), "removing");
    if (!lock.ok()) continue;  // Its owner lives.
    if (RemoveTree(fs, entry.path).ok()) LogInfo("scratch_removed").With("path", entry.path);
  }
}

}  // namespace

arrow::Result<std::unique_ptr<ScratchDirectory>> ScratchDirectory::Make() {
  FileSystem* fs = FileSystem::Local();
  const std::string base = TemporaryBase();
  RemoveLeftovers(fs, base);
  for (int i = 0; i < kMaxTries; ++i) {
    std::string path = JoinPath(base, fmt::format("{}{}", kPrefix, NewUuid(Random::System())));
    if (::mkdir(path.c_str(), 0700) != 0) {
      return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                       fmt::format("cannot make a temporary directory: path={}: {}", path,
                                   std::strerror(errno)));
    }
    auto lock = fs->Lock(LockOf(path), fmt::format("pid={}", ::getpid()));
    // Between mkdir and the lock another process may have taken it for a leftover.
    if (lock.ok() && fs->Stat(LockOf(path)).ok()) {
      return std::unique_ptr<ScratchDirectory>(
          new ScratchDirectory(std::move(path), *std::move(lock)));
    }
  }
  return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                   fmt::format("cannot keep a temporary directory: path={}", base));
}

ScratchDirectory::ScratchDirectory(std::string path, std::unique_ptr<FileLock> lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

ScratchDirectory::~ScratchDirectory() {
  const arrow::Status removed = RemoveTree(FileSystem::Local(), path_);
  if (!removed.ok()) LogWarn("scratch_not_removed").With("error", removed.message());
}

std::string ScratchDirectory::Path(const std::string& name) const { return JoinPath(path_, name); }

}  // namespace tidemill::deploy
