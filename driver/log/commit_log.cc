#include "driver/log/commit_log.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "driver/log/log_frame.h"

namespace tidemill::driver {

CommitLog::CommitLog(FileSystem* fs, std::string checkpoint, Term term, bool is_durable)
    : fs_(fs),
      checkpoint_(std::move(checkpoint)),
      term_(std::move(term)),
      is_durable_(is_durable) {}

arrow::Result<CommitLog::Opened> CommitLog::Open(FileSystem* fs, const std::string& checkpoint,
                                                 Term term, bool is_durable, bool must_exist) {
  Opened opened;
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(JoinPath(checkpoint, "log")));
  ARROW_ASSIGN_OR_RAISE(opened.contents, ReadLog(fs, checkpoint));
  if (must_exist && opened.contents.entries.empty()) {
    return WithHint(
        MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                  fmt::format("the checkpoint has lost its log: file={} offset=0 expected=records "
                              "actual=none",
                              JoinPath(checkpoint, "log"))),
        "put the files back from a copy of the checkpoint, or use a new directory");
  }
  if (is_durable && !opened.contents.files.empty()) {
    // Its writer may have died between a write and its sync: what is accepted here must not be
    // lost with the machine later.
    ARROW_RETURN_NOT_OK(fs->SyncFile(JoinPath(checkpoint, opened.contents.files.back())));
  }
  opened.log.reset(new CommitLog(fs, checkpoint, std::move(term), is_durable));
  CommitLog& log = *opened.log;
  if (!opened.contents.files.empty()) log.file_name_ = opened.contents.files.back();
  log.length_ = opened.contents.accepted_length;
  log.chain_ = opened.contents.chain;
  ARROW_RETURN_NOT_OK(log.BeginFile({}));
  ARROW_RETURN_NOT_OK(log.CheckNewest());
  return opened;
}

arrow::Status CommitLog::Append(const proto::LogRecord& record) {
  ARROW_RETURN_NOT_OK(broken_);
  broken_ = [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(Write({&record, 1}));
    return CheckNewest();
  }();
  return broken_;
}

arrow::Status CommitLog::AppendInNewFile(std::span<const proto::LogRecord> records) {
  ARROW_RETURN_NOT_OK(broken_);
  broken_ = [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(BeginFile(records));
    return CheckNewest();
  }();
  return broken_;
}

arrow::Status CommitLog::BeginFile(std::span<const proto::LogRecord> records) {
  std::vector<proto::LogRecord> all(1);
  proto::OpenRecord* open = all[0].mutable_open();
  open->set_term(term_.number());
  open->set_format_version(1);
  open->set_previous_file(file_name_);
  open->set_previous_length(length_);
  open->set_previous_hash(chain_);
  all.insert(all.end(), records.begin(), records.end());

  const std::string name = LogFileName(term_.number(), next_sequence_++);
  ARROW_ASSIGN_OR_RAISE(writer_, fs_->Create(JoinPath(checkpoint_, name)));
  file_name_ = name;
  length_ = 0;
  ARROW_RETURN_NOT_OK(Write(all));
  return is_durable_ ? fs_->SyncDirectory(JoinPath(checkpoint_, "log")) : arrow::Status::OK();
}

arrow::Status CommitLog::Write(std::span<const proto::LogRecord> records) {
  buffer_.clear();
  std::string payload;
  uint64_t chain = chain_;
  for (const proto::LogRecord& record : records) {
    if (!record.SerializeToString(&payload)) {
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR", "a log record could not be serialised");
    }
    chain = AppendFrame(payload, chain, &buffer_);
  }
  ARROW_RETURN_NOT_OK(WithContext(writer_->Append(buffer_), "write the checkpoint's log"));
  if (is_durable_) ARROW_RETURN_NOT_OK(writer_->Sync());
  chain_ = chain;
  length_ += static_cast<int64_t>(buffer_.size());
  return arrow::Status::OK();
}

}  // namespace tidemill::driver
