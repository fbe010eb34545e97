#include "connectors/file/seen_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/fs/file_system.h"

namespace tidemill::connectors {

namespace {

// Takes a number and the one separator behind it.
bool TakeNumber(std::string_view* text, char separator, int64_t* out) {
  const char* const end = text->data() + text->size();
  const auto [next, error] = std::from_chars(text->data(), end, *out);
  if (error != std::errc() || next == end || *next != separator) return false;
  text->remove_prefix(next + 1 - text->data());
  return true;
}

}  // namespace

bool SeenFiles::IsNew(const std::string& path, int64_t mtime_us) const {
  return mtime_us >= purged_us_ && mtimes_.count(KeyOf(path)) == 0;
}

void SeenFiles::Add(const std::string& path, int64_t mtime_us) {
  mtimes_[KeyOf(path)] = mtime_us;
  newest_us_ = std::max(newest_us_, mtime_us);
}

void SeenFiles::Purge() {
  if (max_age_us_ >= newest_us_) return;  // Also where the age is without limit.
  const int64_t limit = newest_us_ - max_age_us_;
  if (limit <= purged_us_) return;
  purged_us_ = limit;
  for (auto it = mtimes_.begin(); it != mtimes_.end();) {
    it = it->second < limit ? mtimes_.erase(it) : std::next(it);
  }
}

std::string SeenFiles::Encode() const {
  std::vector<const std::pair<const std::string, int64_t>*> files;
  files.reserve(mtimes_.size());
  for (const auto& file : mtimes_) files.push_back(&file);
  std::sort(files.begin(), files.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string text = fmt::format("{} {} {}\n", newest_us_, purged_us_, files.size());
  for (const auto* file : files) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", file->second, file->first.size(),
                   file->first);
  }
  return text;
}

arrow::Status SeenFiles::Decode(std::string_view text) {
  const auto bad = [](std::string_view what) {
    return MakeError(ErrorKind::kCorrupt, "INVALID_SOURCE_SNAPSHOT",
                     fmt::format("seen files: bad {}", what));
  };
  int64_t count = 0;
  if (!TakeNumber(&text, ' ', &newest_us_) || !TakeNumber(&text, ' ', &purged_us_) ||
      !TakeNumber(&text, '\n', &count) || count < 0) {
    return bad("header");
  }
  mtimes_.clear();
  mtimes_.reserve(std::min<size_t>(count, text.size()));
  for (int64_t i = 0; i < count; ++i) {
    int64_t mtime = 0;
    int64_t length = 0;
    if (!TakeNumber(&text, ' ', &mtime) || !TakeNumber(&text, ' ', &length) || length < 0 ||
        static_cast<size_t>(length) >= text.size() || text[length] != '\n') {
      return bad("entry");
    }
    mtimes_.emplace(text.substr(0, length), mtime);
    text.remove_prefix(length + 1);
  }
  return text.empty() ? arrow::Status::OK() : bad("end");
}

std::string SeenFiles::KeyOf(const std::string& path) const {
  return file_name_only_ ? BaseName(path) : path;
}

}  // namespace tidemill::connectors
