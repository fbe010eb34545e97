#include "driver/log/term.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::driver {

arrow::Result<Term> Term::Take(FileSystem* fs, const std::string& checkpoint,
                               std::string_view holder, bool is_durable) {
  const std::string dir = JoinPath(checkpoint, "term");
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(dir));
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> entries, fs->List(dir));
  uint64_t highest = 0;
  for (const FileInfo& entry : entries) {
    const std::string name = BaseName(entry.path);
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) {
      highest = std::max(highest, number);
    }
  }
  while (true) {
    Term term(fs, dir, ++highest, Hash64(holder));
    const arrow::Status published = PublishFile(fs, term.path(), holder, is_durable);
    if (published.ok()) return term;
    if (KindOf(published) != ErrorKind::kConflict) {
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
