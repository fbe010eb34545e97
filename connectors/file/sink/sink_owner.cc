#include "connectors/file/sink/sink_owner.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "common/base/error.h"

namespace tidemill::connectors {

namespace {

constexpr int kMaxTries = 16;  // against others that take the directory at the same moment

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// When a process started, in the kernel's ticks; with the pid it names one process for ever (until
// the machine restarts). "" where there is no such process.
std::string StartOf(FileSystem* fs, std::string_view pid) {
  // Procfs files have no size, so the whole is read at once into a buffer that is large enough.
  auto file = fs->OpenForRead(fmt::format("/proc/{}/stat", pid));
  if (!file.ok()) return "";
  std::array<char, 1024> text;
  auto size = (*file)->ReadAt(0, text.size(), text.data());
  if (!size.ok()) return "";
  const std::string_view stat(text.data(), *size);
  // The name in parentheses may hold blanks; behind it come fields 3, 4, ...; 22 is the start.
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string_view::npos; ++field) {
    at = stat.find(' ', at + 1);
  }
  if (at == std::string_view::npos) return "";
  return std::string(stat.substr(at + 1, stat.find(' ', at + 1) - at - 1));
}

std::map<std::string, std::string> FieldsOf(std::string_view text) {
  std::map<std::string, std::string> fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      fields.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return fields;
}

// Whether the holder's process is known to be gone: same machine, and no process with its id and
// start.
bool IsGone(FileSystem* fs, std::map<std::string, std::string>& holder) {
  if (holder["host"] != HostName()) return false;
  return StartOf(fs, holder["pid"]) != holder["start"] || holder["start"].empty();
}

}  // namespace

arrow::Status SinkOwner::Take(const std::string& job_uuid, const std::string& job_name,
                              uint64_t term) {
  const std::string pid = fmt::format("{}", ::getpid());
  const std::string text =
      fmt::format("job_uuid={}\njob_name={}\nterm={}\nhost={}\npid={}\nstart={}\nnonce={}\n",
                  job_uuid, job_name, term, HostName(), pid, StartOf(fs_, pid), NewUuid(random_));
  for (int i = 0; i < kMaxTries; ++i) {
    arrow::Status published = PublishFile(fs_, path(), text, is_durable_);
    if (published.ok()) {
      held_ = text;
      return published;
    }
    if (KindOf(published) != ErrorKind::kConflict) return published;
    auto found = ReadFile(fs_, path());
    if (!found.ok() && KindOf(found.status()) == ErrorKind::kNotFound) continue;
    ARROW_RETURN_NOT_OK(found.status());
    auto holder = FieldsOf(*found);
    if (holder["job_uuid"] == job_uuid) {
      uint64_t held_term = 0;
      const std::string& digits = holder["term"];
      (void)std::from_chars(digits.data(), digits.data() + digits.size(), held_term);
      if (held_term > term) {
        return MakeError(ErrorKind::kFenced, "FENCED",
                         fmt::format("a newer driver of this job holds the sink: path={} term={} "
                                     "newer_term={}",
                                     dir_, term, held_term));
      }
    } else if (!IsGone(fs_, holder)) {
      return WithHint(
          MakeError(ErrorKind::kConflict, "SINK_IN_USE",
                    fmt::format("sink path is held by another job: path={} job={} job_uuid={} "
                                "host={} pid={}",
                                ParentPath(dir_), holder["job_name"], holder["job_uuid"],
                                holder["host"], holder["pid"])),
          fmt::format("stop that job, or remove {} if it is gone for good", path()));
    }
    ARROW_RETURN_NOT_OK(Displace(*found));
  }
  return MakeError(ErrorKind::kConflict, "SINK_IN_USE",
                   fmt::format("sink path is taken by others again and again: path={}", dir_));
}

arrow::Status SinkOwner::Displace(const std::string& text) {
  const std::string aside = fmt::format("{}.{}.old", path(), NewUuid(random_));
  arrow::Status moved = fs_->Rename(path(), aside, RenameMode::kNoReplace);
  if (!moved.ok()) return KindOf(moved) == ErrorKind::kNotFound ? arrow::Status::OK() : moved;
  ARROW_ASSIGN_OR_RAISE(const std::string displaced, ReadFile(fs_, aside));
  if (displaced != text) {
    // Somebody took it between our look and our move: put it back.
    arrow::Status back = fs_->Rename(aside, path(), RenameMode::kNoReplace);
    if (back.ok() || KindOf(back) != ErrorKind::kConflict) return back;
  }
  return fs_->Remove(aside);
}

arrow::Result<bool> SinkOwner::IsHeld() const {
  auto found = ReadFile(fs_, path());
  if (!found.ok() && KindOf(found.status()) == ErrorKind::kNotFound) return false;
  ARROW_RETURN_NOT_OK(found.status());
  return *found == held_;
}

void SinkOwner::Release() {
  if (held_.empty()) return;
  auto found = ReadFile(fs_, path());
  // A file left behind is harmless: its process will be gone.
  if (found.ok() && *found == held_) (void)Displace(held_);
  held_.clear();
}

}  // namespace tidemill::connectors
