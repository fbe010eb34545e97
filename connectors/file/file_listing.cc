#include "connectors/file/file_listing.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "common/base/error.h"

namespace tidemill::connectors {

namespace {

constexpr int kMaxDepth = 64;  // of directories; a loop of links ends here

// Matches one [...] at the front of `pattern` and moves behind it; a `[` that is not closed is a
// plain character.
bool MatchesClass(char c, std::string_view* pattern) {
  std::string_view rest = pattern->substr(1);
  const bool is_negated = !rest.empty() && (rest[0] == '!' || rest[0] == '^');
  if (is_negated) rest.remove_prefix(1);
  bool matches = false;
  bool is_first = true;
  while (!rest.empty() && (is_first || rest[0] != ']')) {
    is_first = false;
    const char low = rest[0];
    char high = low;
    rest.remove_prefix(1);
    if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      high = rest[1];
      rest.remove_prefix(2);
    }
    if (low <= c && c <= high) matches = true;
  }
  if (rest.empty()) {
    pattern->remove_prefix(1);
    return c == '[';
  }
  *pattern = rest.substr(1);
  return matches != is_negated;
}

// The end of the {...} that `pattern` begins with, or npos.
size_t EndOfBraces(std::string_view pattern) {
  int depth = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '{') {
      ++depth;
    } else if (pattern[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

bool MatchesBraces(std::string_view name, std::string_view pattern, size_t end) {
  const std::string_view rest = pattern.substr(end + 1);
  int depth = 0;
  size_t begin = 1;
  for (size_t i = 1; i <= end; ++i) {
    const char c = pattern[i];
    if (c == '{') ++depth;
    if (c == '}' && i != end) --depth;
    if (i != end && (c != ',' || depth != 0)) continue;
    if (MatchesGlob(name, fmt::format("{}{}", pattern.substr(begin, i - begin), rest))) return true;
    begin = i + 1;
  }
  return false;
}

class Lister {
 public:
  Lister(FileSystem* fs, const ListingRules& rules) : fs_(fs), rules_(rules) {}

  arrow::Status Run() {
    if (!HasGlob(rules_.path)) {
      auto info = fs_->Stat(rules_.path);
      if (!info.ok() && KindOf(info.status()) == ErrorKind::kNotFound) return NotFound();
      ARROW_RETURN_NOT_OK(info.status());
      return Visit(*info, 0);
    }
    const bool is_absolute = rules_.path[0] == '/';
    return Expand(is_absolute ? "/" : "", std::string_view(rules_.path).substr(is_absolute));
  }

  std::vector<FileInfo> TakeFiles() { return std::move(files_); }

 private:
  arrow::Status NotFound() const {
    auto status = MakeError(ErrorKind::kNotFound, "PATH_NOT_FOUND",
                            fmt::format("Path does not exist: {}.", rules_.path));
    auto siblings = fs_->List(ParentPath(rules_.path));
    if (!siblings.ok()) return status;
    std::vector<std::string> names;
    for (const FileInfo& info : *siblings) names.push_back(BaseName(info.path));
    const std::string nearest = NearestName(BaseName(rules_.path), names);
    return nearest.empty() ? status : WithHint(status, fmt::format("did you mean {}?", nearest));
  }

  // Follows the components of a glob from `base`; `rest` has no leading slash.
  arrow::Status Expand(const std::string& base, std::string_view rest) {
    const size_t slash = rest.find('/');
    const std::string_view component = rest.substr(0, slash);
    const std::string_view after =
        slash == std::string_view::npos ? "" : rest.substr(rest.find_first_not_of('/', slash));
    if (!HasGlob(component)) {
      const std::string path = JoinPath(base, component);
      if (!after.empty()) return Expand(path, after);
      auto info = fs_->Stat(path);
      if (info.ok()) return Visit(*info, 0);
      return KindOf(info.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : info.status();
    }
    auto entries = fs_->List(base);
    if (!entries.ok()) {
      // A wildcard before may have matched a plain file.
      if (KindOf(entries.status()) == ErrorKind::kNotFound) return arrow::Status::OK();
      auto info = fs_->Stat(base);
      if (info.ok() && !info->is_directory) return arrow::Status::OK();
      return entries.status();
    }
    const bool wants_hidden = component[0] == '_' || component[0] == '.';
    for (const FileInfo& entry : *entries) {
      const std::string name = BaseName(entry.path);
      if ((IsHidden(name) && !wants_hidden) || !MatchesGlob(name, component)) continue;
      if (after.empty()) {
        ARROW_RETURN_NOT_OK(Visit(entry, 0));
      } else if (entry.is_directory) {
        ARROW_RETURN_NOT_OK(Expand(entry.path, after));
      }
    }
    return arrow::Status::OK();
  }

  // Takes what the path names: a file, or the files in a directory.
  arrow::Status Visit(const FileInfo& info, int depth) {
    if (!info.is_directory) {
      TakeFile(info);
      return arrow::Status::OK();
    }
    if (depth > kMaxDepth) {
      return MakeError(ErrorKind::kGeneral, "DIRECTORY_TOO_DEEP",
                       fmt::format("directories are nested too deep: path={}", info.path));
    }
    auto entries = fs_->List(info.path);
    if (!entries.ok()) {
      const bool is_gone = depth > 0 && KindOf(entries.status()) == ErrorKind::kNotFound;
      return is_gone ? arrow::Status::OK() : entries.status();
    }
    for (const FileInfo& entry : *entries) {
      const std::string name = BaseName(entry.path);
      if (IsHidden(name)) continue;
      if (!entry.is_directory) {
        TakeFile(entry);
      } else if (rules_.is_recursive) {
        ARROW_RETURN_NOT_OK(Visit(entry, depth + 1));
      } else if (name.find('=') != std::string::npos) {
        return WithHint(MakeError(ErrorKind::kInvalid, "UNSUPPORTED_PARTITIONS",
                                  fmt::format("partition directories are not supported yet: "
                                              "path={}",
                                              entry.path)),
                        "recursiveFileLookup=true reads the files below without partition columns");
      }
    }
    return arrow::Status::OK();
  }

  void TakeFile(const FileInfo& info) {
    if (!info.is_regular) return;
    if (!rules_.name_filter.empty() && !MatchesGlob(BaseName(info.path), rules_.name_filter))
      return;
    files_.push_back(info);
  }

  FileSystem* const fs_;
  const ListingRules& rules_;
  std::vector<FileInfo> files_;
};

}  // namespace

bool IsHidden(std::string_view name) {
  constexpr std::string_view kCopying = "._COPYING_";
  if (name.empty() || name[0] == '.') return true;
  if (name[0] == '_' && name.find('=') == std::string_view::npos) return true;
  return name.size() >= kCopying.size() && name.substr(name.size() - kCopying.size()) == kCopying;
}

bool MatchesGlob(std::string_view name, std::string_view pattern) {
  while (!pattern.empty()) {
    const char p = pattern[0];
    if (p == '*') {
      while (!pattern.empty() && pattern[0] == '*') pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      for (size_t skip = 0; skip <= name.size(); ++skip) {
        if (MatchesGlob(name.substr(skip), pattern)) return true;
      }
      return false;
    }
    if (p == '{') {
      const size_t end = EndOfBraces(pattern);
      if (end != std::string_view::npos) return MatchesBraces(name, pattern, end);
    }
    if (name.empty()) return false;
    if (p == '[') {
      if (!MatchesClass(name[0], &pattern)) return false;
    } else {
      if (p == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      if (p != '?' && pattern[0] != name[0]) return false;
      pattern.remove_prefix(1);
    }
    name.remove_prefix(1);
  }
  return name.empty();
}

bool HasGlob(std::string_view path) { return path.find_first_of("*?[{") != std::string_view::npos; }

arrow::Result<std::vector<FileInfo>> ListInputFiles(FileSystem* fs, const ListingRules& rules) {
  Lister lister(fs, rules);
  ARROW_RETURN_NOT_OK(lister.Run());
  return lister.TakeFiles();
}

}  // namespace tidemill::connectors
