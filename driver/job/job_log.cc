#include "driver/job/job_log.h"

#include <utility>

#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "driver/log/log_reader.h"

namespace tidemill::driver {

JobLog::JobLog(std::unique_ptr<CommitLog> log, FileSystem* fs, std::string checkpoint,
               std::function<void(const arrow::Status&)> on_error)
    : log_(std::move(log)),
      fs_(fs),
      checkpoint_(std::move(checkpoint)),
      on_error_(std::move(on_error)) {}

arrow::Status JobLog::Check(arrow::Status status) const {
  if (!status.ok()) on_error_(status);
  return status;
}

arrow::Status JobLog::AppendPlan(const std::vector<proto::LogRecord>& records) {
  Failpoint("driver.before_plan_append");
  const bool has_base = records.size() > 1;
  ARROW_RETURN_NOT_OK(
      WithContext(Check(has_base ? log_->AppendInNewFile(records) : log_->Append(records.front())),
                  "log the plan of an epoch"));
  if (has_base) Failpoint("driver.base_written");
  Failpoint("driver.plan_durable");
  return arrow::Status::OK();
}

arrow::Status JobLog::AppendCommit(const proto::LogRecord& record) {
  const bool has_plan = record.commit().has_next_plan();
  if (has_plan) Failpoint("driver.before_plan_append");
  ARROW_RETURN_NOT_OK(WithContext(Check(log_->Append(record)), "log the commit of an epoch"));
  Failpoint("driver.commit_durable");
  if (has_plan) Failpoint("driver.plan_durable");
  return arrow::Status::OK();
}

arrow::Result<std::optional<proto::LogRecord>> JobLog::AppendDrop(std::vector<std::string> files,
                                                                  bool has_new_base) {
  if (has_new_base) {
    ARROW_ASSIGN_OR_RAISE(auto log_files, ListLogFiles(fs_, checkpoint_));
    std::erase(log_files, log_->file());
    files.insert(files.end(), log_files.begin(), log_files.end());
  }
  if (files.empty()) return std::nullopt;
  proto::LogRecord record;
  record.mutable_drop()->mutable_files()->Assign(files.begin(), files.end());
  ARROW_RETURN_NOT_OK(Check(log_->Append(record)));
  Failpoint("driver.drop_logged");
  return record;
}

void LogGrowth::Note(const proto::LogRecord& record) {
  const auto bytes = static_cast<int64_t>(record.ByteSizeLong());
  if (record.has_base()) {
    base_bytes = bytes;
    records_bytes = 0;
  } else {
    records_bytes += bytes;
  }
}

bool LogGrowth::IsBaseDue(int64_t commits, int64_t commits_limit, int64_t bytes_limit) const {
  if (commits < 1 || records_bytes < base_bytes) return false;
  return commits >= commits_limit || records_bytes >= bytes_limit;
}

}  // namespace tidemill::driver
