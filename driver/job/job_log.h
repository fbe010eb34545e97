#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "driver/log/commit_log.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// Writes the records of a running job, with the named points at which tests kill the process.
// Blocks. *Thread-compatible*: one call at a time.
class JobLog {
 public:
  // `fs` must outlive this. `on_error` is called with every failed write, before it is returned.
  JobLog(std::unique_ptr<CommitLog> log, FileSystem* fs, std::string checkpoint,
         std::function<void(const arrow::Status&)> on_error);

  // A plan, or a Base and then a plan, which begin a new file.
  arrow::Status AppendPlan(const std::vector<proto::LogRecord>& records);
  arrow::Status AppendCommit(const proto::LogRecord& record);
  // These files will be deleted, and with them, after a Base, the log's older files. The record, or
  // nothing where there are none.
  arrow::Result<std::optional<proto::LogRecord>> AppendDrop(std::vector<std::string> files,
                                                            bool has_new_base);

 private:
  arrow::Status Check(arrow::Status status) const;

  const std::unique_ptr<CommitLog> log_;
  FileSystem* const fs_;
  const std::string checkpoint_;
  const std::function<void(const arrow::Status&)> on_error_;
};

// How much a log has grown, and so when a Base is due. *Plain data.*
struct LogGrowth {
  int64_t base_bytes = 0;     // of the newest Base
  int64_t records_bytes = 0;  // since

  void Note(const proto::LogRecord& record);
  // After so many commits, or bytes (plans may hold rows), but within a constant factor of what the
  // log stands for.
  bool IsBaseDue(int64_t commits, int64_t commits_limit, int64_t bytes_limit) const;
};

}  // namespace tidemill::driver
