#include "common/rpc/newest_driver.h"

#include <charconv>
#include <cstdint>

#include "common/base/error.h"

namespace tidemill::rpc {

arrow::Result<std::optional<std::string>> NewestDriver(FileSystem* fs, const std::string& root) {
  const auto entries = fs->List(JoinPath(root, "term"));
  if (!entries.ok()) {
    if (KindOf(entries.status()) == ErrorKind::kNotFound) return std::nullopt;
    return entries.status();
  }
  uint64_t newest = 0;
  std::string path;
  for (const FileInfo& entry : *entries) {
    const std::string name = BaseName(entry.path);
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number < newest) continue;
    newest = number;
    path = entry.path;
  }
  if (path.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string contents, ReadFile(fs, path));
  const std::string address = contents.substr(0, contents.find_first_of(" \n"));
  if (address.empty()) return std::nullopt;
  return address;
}

}  // namespace tidemill::rpc
