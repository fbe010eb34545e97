#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/fs/file_system.h"
#include "driver/log/log_reader.h"
#include "driver/log/term.h"

namespace tidemill::driver {

// The writing end of a checkpoint's log, for one term. After each append that returned OK the
// records are durable and no newer term existed afterwards, so they may be acted on. Errors:
// kFenced (nothing may be acted on any more), FSYNC_FAILED (the process must end); after any error
// the log takes no more. *Thread-compatible.*
class CommitLog {
 public:
  // Reads the log to its end and begins log/<term>.0. `term` was taken before. `must_exist`: the
  // checkpoint holds what only comes after the first record, so a log without records is damage.
  struct Opened {
    std::unique_ptr<CommitLog> log;
    LogContents contents;
  };
  static arrow::Result<Opened> Open(FileSystem* fs, const std::string& checkpoint, Term term,
                                    bool is_durable, bool must_exist = false);

  arrow::Status Append(const proto::LogRecord& record);
  // Begins the next file with these records, the first of which is a Base: the files before it are
  // not needed any more once this returns.
  arrow::Status AppendInNewFile(std::span<const proto::LogRecord> records);

  // kFenced where there is a newer term.
  arrow::Status CheckNewest() const { return term_.CheckNewest(); }
  uint64_t term() const { return term_.number(); }
  const std::string& file() const { return file_name_; }  // being written
  int64_t file_length() const { return length_; }

 private:
  CommitLog(FileSystem* fs, std::string checkpoint, Term term, bool is_durable);

  arrow::Status BeginFile(std::span<const proto::LogRecord> records);
  arrow::Status Write(std::span<const proto::LogRecord> records);

  FileSystem* const fs_;
  const std::string checkpoint_;
  const Term term_;
  const bool is_durable_;
  std::unique_ptr<WritableFile> writer_;
  uint32_t next_sequence_ = 0;
  std::string file_name_;  // "" before the first file; of the file before, while one begins
  int64_t length_ = 0;
  uint64_t chain_ = 0;
  arrow::Status broken_;
  std::string buffer_;
};

}  // namespace tidemill::driver
