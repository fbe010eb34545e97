#include "driver/log/checked_file.h"

#include <fmt/format.h>

#include <cstring>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/random.h"

namespace tidemill::driver {

namespace {

std::string WithHash(std::string_view contents) {
  const uint64_t hash = Hash64(contents);
  std::string text(sizeof(hash), '\0');
  std::memcpy(text.data(), &hash, sizeof(hash));
  text.append(contents);
  return text;
}

}  // namespace

arrow::Status PublishChecked(FileSystem* fs, const std::string& path, std::string_view contents,
                             bool is_durable) {
  return PublishFile(fs, path, WithHash(contents), is_durable);
}

arrow::Status ReplaceChecked(FileSystem* fs, const std::string& path, std::string_view contents) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, NewUuid(Random::System()));
  const auto replace = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto file, fs->Create(temporary));
    ARROW_RETURN_NOT_OK(file->Append(WithHash(contents)));
    ARROW_RETURN_NOT_OK(file->Sync());
    ARROW_RETURN_NOT_OK(file->Close());
    return fs->Rename(temporary, path, RenameMode::kReplace);
  };
  if (arrow::Status replaced = replace(); !replaced.ok()) {
    (void)fs->Remove(temporary);  // Only tidiness; the name is unique and means nothing.
    return replaced;
  }
  return fs->SyncDirectory(ParentPath(path));
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
