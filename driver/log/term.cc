#include "driver/log/term.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::driver {

namespace {

constexpr std::string_view kTemporary = ".tmp";  // of PublishFile

// The number that the name begins with; 0 for none.
uint64_t NumberOf(std::string_view name) {
  uint64_t number = 0;
  (void)std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

uint64_t HighestOf(const std::vector<FileInfo>& entries) {
  uint64_t highest = 0;
  for (const FileInfo& entry : entries) {
    const std::string name = BaseName(entry.path);
    const uint64_t number = NumberOf(name);
    if (name == fmt::format("{}", number)) highest = std::max(highest, number);
  }
  return highest;
}

}  // namespace

arrow::Result<std::string> Term::NewestHolder(FileSystem* fs, const std::string& checkpoint) {
  const std::string dir = JoinPath(checkpoint, "term");
  const auto entries = fs->List(dir);
  if (!entries.ok() && KindOf(entries.status()) != ErrorKind::kNotFound) return entries.status();
  const uint64_t highest = entries.ok() ? HighestOf(*entries) : 0;
  if (highest == 0) return std::string();
  return ReadFile(fs, JoinPath(dir, fmt::format("{}", highest)));
}

arrow::Result<Term> Term::Take(FileSystem* fs, const std::string& checkpoint,
                               std::string_view holder, bool is_durable) {
  const std::string dir = JoinPath(checkpoint, "term");
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(dir));
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> entries, fs->List(dir));
  uint64_t highest = HighestOf(entries);
  while (true) {
    Term term(fs, dir, ++highest, Hash64(holder));
    const arrow::Status published = PublishFile(fs, term.path(), holder, is_durable);
    if (published.ok()) {
      // What drivers left that died while they took a term. One that is alive and has lost the race
      // finds its file gone in place of the name taken.
      for (const FileInfo& entry : entries) {
        const bool is_abandoned =
            entry.path.ends_with(kTemporary) && NumberOf(BaseName(entry.path)) <= highest;
        if (is_abandoned) ARROW_RETURN_NOT_OK(fs->Remove(entry.path));
      }
      return term;
    }
    const bool is_lost = KindOf(published) == ErrorKind::kConflict ||
                         (KindOf(published) == ErrorKind::kNotFound && fs->Stat(term.path()).ok());
    if (!is_lost) {
      return WithContext(published, "take a term of the checkpoint");
    }
  }
}

Term::Term(FileSystem* fs, std::string dir, uint64_t number, uint64_t checksum)
    : fs_(fs),
      dir_(std::move(dir)),
      next_path_(JoinPath(dir_, fmt::format("{}", number + 1))),
      number_(number),
      checksum_(checksum) {}

std::string Term::path() const { return JoinPath(dir_, fmt::format("{}", number_)); }

arrow::Status Term::CheckNewest() const {
  const auto found = fs_->Stat(next_path_);
  if (!found.ok()) {
    return KindOf(found.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : found.status();
  }
  const auto holder = ReadFile(fs_, next_path_);
  return MakeError(
      ErrorKind::kFenced, "FENCED",
      fmt::format("another process has taken over the checkpoint: path={} term={} "
                  "newer={} holder: {}",
                  ParentPath(dir_), number_, number_ + 1, holder.ok() ? *holder : "unknown"));
}

}  // namespace tidemill::driver
