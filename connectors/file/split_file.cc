#include "connectors/file/split_file.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace tidemill::connectors {

arrow::Status SplitFileChanged(const Split& split, int64_t size, int64_t mtime_us) {
  return WithHint(
      MakeError(
          ErrorKind::kJobFailed, "SOURCE_FILE_CHANGED",
          fmt::format("input file changed after it was listed: path={} size={} listed_size={} "
                      "mtime_us={} listed_mtime_us={}",
                      split.path, size, split.file_size, mtime_us, split.mtime_us)),
      "input files must appear complete, by a rename, and stay as they are");
}

arrow::Result<std::shared_ptr<ReadableFile>> OpenSplitFile(const Split& split, FileSystem* fs) {
  auto file = fs->OpenForRead(split.path);
  auto info = fs->Stat(split.path);
  for (const arrow::Status& status : {file.status(), info.status()}) {
    if (status.ok()) continue;
    if (KindOf(status) != ErrorKind::kNotFound) return status;
    return MakeError(ErrorKind::kJobFailed, "SOURCE_FILE_CHANGED",
                     fmt::format("input file is gone: path={}", split.path));
  }
  if (info->size != split.file_size || info->mtime_us != split.mtime_us) {
    return SplitFileChanged(split, info->size, info->mtime_us);
  }
  return file;
}

}  // namespace tidemill::connectors
