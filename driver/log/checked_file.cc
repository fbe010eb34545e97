#include "driver/log/checked_file.h"

#include <fmt/format.h>

#include <cstring>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::driver {

arrow::Status PublishChecked(FileSystem* fs, const std::string& path, std::string_view contents,
                             bool is_durable) {
  const uint64_t hash = Hash64(contents);
  std::string text(sizeof(hash), '\0');
  std::memcpy(text.data(), &hash, sizeof(hash));
  text.append(contents);
  return PublishFile(fs, path, text, is_durable);
}

arrow::Result<std::string> ReadChecked(FileSystem* fs, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(fs, path));
  uint64_t expected = 0;
  const bool has_hash = text.size() >= sizeof(expected);
  if (has_hash) {
    std::memcpy(&expected, text.data(), sizeof(expected));
    text.erase(0, sizeof(expected));
  }
  const uint64_t actual = Hash64(text);
  if (has_hash && expected == actual) return text;
  return WithHint(MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                            fmt::format("a file of the checkpoint is damaged: file={} offset=0 "
                                        "expected={} actual={}",
                                        path, HexOf(expected), HexOf(actual))),
                  "put the file back from a copy of the checkpoint");
}

}  // namespace tidemill::driver
