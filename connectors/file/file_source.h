#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/directory_watch.h"
#include "connectors/file/file_options.h"
#include "connectors/file/seen_files.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// Driver half of text and json: lists new files by Spark's rules and cuts large ones into splits.
// Is woken when a file comes into a directory of this machine (watched where the path names one
// directory that is not searched below); asked again by and by all the same.
//
// Files that exist at the start are processed; a path is read once, by (mtime, path), the newest
// first with latestFirst. The position counts the inputs that had files: {"logOffset":2} after
// three of them. A split [begin, end) of a file owns the lines that begin in it. A file without
// bytes is handed out too, as an empty split: the log is where a restart learns what was seen.
// *Thread-compatible.*
class FileSourceDriver final : public SourceDriver {
 public:
  // Errors: PATH_NOT_FOUND (kNotFound).
  static arrow::Result<std::unique_ptr<SourceDriver>> Make(const SourceSpec& spec,
                                                           const SourceDriverContext& context);

  arrow::Result<EpochInput> Next(ReadLimit limit) override;
  arrow::Status FixEnd() override;
  arrow::Status Commit(const EpochInput& input) override;
  std::string Snapshot() const override;
  arrow::Status Restore(std::string_view snapshot) override;
  arrow::Result<std::vector<Split>> Replay(const EpochInput& input) override;
  std::string Description() const override;

 private:
  FileSourceDriver(FileSourceOptions options, SourceDriverContext context);

  // Wakes the job when a file arrives, where the system can tell.
  void Watch();
  // All files not seen yet, in the order they are taken.
  arrow::Result<std::vector<FileInfo>> ListNew();
  // How many of `files` one epoch takes.
  size_t CountWithinLimits(const std::vector<FileInfo>& files, ReadLimit limit) const;
  // Keeps what was listed and not taken for the next call, where Spark does.
  void KeepRest(std::vector<FileInfo> files, size_t taken);
  arrow::Status CutFile(const FileInfo& file, int64_t split_bytes,
                        std::vector<Split>* splits) const;
  std::string PositionText() const;
  arrow::Status MoveTo(std::string_view position);

  const FileSourceOptions options_;
  const SourceDriverContext context_;
  SeenFiles seen_;
  int64_t log_offset_ = -1;
  std::vector<FileInfo> unread_;  // listed earlier, in order
  bool is_end_fixed_ = false;     // unread_ is all there will be
  std::unique_ptr<DirectoryWatch> watch_;
};

}  // namespace tidemill::connectors
