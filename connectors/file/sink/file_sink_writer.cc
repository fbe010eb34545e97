#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/mutex.h"
#include "connectors/file/sink/file_encoder.h"
#include "connectors/file/sink/file_sink.h"
#include "connectors/file/sink/sink_layout.h"

namespace tidemill::connectors {

namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr int64_t kFullBytes = int64_t{16} << 20;

struct HashStateDeleter {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

// One staged file of one epoch: rows go in as text on the slot's thread, tasks on the I/O executor
// write them, one at a time and in order. Kept alive by its tasks. *Thread-safe.*
class StagedFileTask : public std::enable_shared_from_this<StagedFileTask> {
 public:
  StagedFileTask(SinkLayout layout, std::string name, const WriterContext& context)
      : layout_(std::move(layout)),
        name_(std::move(name)),
        context_(context),
        hash_(XXH3_createState()) {
    XXH3_64bits_reset(hash_.get());
  }

  arrow::Status Push(std::string chunk) {
    MutexLock lock(&mutex_);
    queued_bytes_ += static_cast<int64_t>(chunk.size());
    queue_.push_back(std::move(chunk));
    StartDrain();
    return error_;
  }

  void Finish(int64_t rows, std::string suffix, SinkWriter::PrepareDone done) {
    MutexLock lock(&mutex_);
    rows_ = rows;
    suffix_ = std::move(suffix);
    done_ = std::move(done);
    StartDrain();
  }

  void Abort() {
    MutexLock lock(&mutex_);
    is_aborted_ = true;
    done_ = nullptr;
    StartDrain();
  }

  bool IsFull() {
    MutexLock lock(&mutex_);
    is_waited_for_ = queued_bytes_ > kFullBytes;
    return is_waited_for_;
  }

 private:
  void StartDrain() REQUIRES(mutex_) {
    if (std::exchange(is_draining_, true)) return;
    context_.io->Post([self = shared_from_this()] { self->Drain(); });
  }

  // Writes what is queued; then closes the file, when nothing more will come.
  void Drain() {
    while (true) {
      std::string chunk;
      bool is_failed = false;
      SinkWriter::PrepareDone done;
      {
        MutexLock lock(&mutex_);
        if (is_aborted_) break;
        is_failed = !error_.ok();
        if (!queue_.empty()) {
          chunk = std::move(queue_.front());
          queue_.pop_front();
        } else if (done_ != nullptr) {
          done = std::exchange(done_, nullptr);
        } else {
          is_draining_ = false;
          return;
        }
      }
      if (done != nullptr) {
        done(Close());
        continue;
      }
      Settle(static_cast<int64_t>(chunk.size()),
             is_failed ? arrow::Status::OK() : WriteChunk(chunk));
    }
    // Best effort: recovery removes leftovers too.
    if (file_ != nullptr) {
      (void)file_->Close();
      file_ = nullptr;
      (void)context_.fs->Remove(layout_.PathOf(name_));
    }
    MutexLock lock(&mutex_);
    is_draining_ = false;
  }

  void Settle(int64_t bytes, const arrow::Status& written) {
    bool must_wake = false;
    {
      MutexLock lock(&mutex_);
      if (error_.ok()) error_ = written;
      queued_bytes_ -= bytes;
      must_wake = is_waited_for_ && queued_bytes_ <= kFullBytes / 2;
      if (must_wake) is_waited_for_ = false;
    }
    if (must_wake && context_.wake) context_.wake();
  }

  arrow::Status WriteChunk(std::string_view chunk) {
    if (file_ == nullptr) {
      ARROW_RETURN_NOT_OK(context_.fs->CreateDirectories(layout_.staged_dir()));
      ARROW_ASSIGN_OR_RAISE(file_, context_.fs->Create(layout_.PathOf(name_)));
    }
    XXH3_64bits_update(hash_.get(), chunk.data(), chunk.size());
    size_ += static_cast<int64_t>(chunk.size());
    ARROW_RETURN_NOT_OK(file_->Append(chunk));
    Failpoint("sink.chunk_written");
    return arrow::Status::OK();
  }

  arrow::Result<StagedOutput> Close() {
    StagedOutput output;
    {
      MutexLock lock(&mutex_);
      ARROW_RETURN_NOT_OK(error_);
      output.num_rows = rows_;
    }
    if (file_ == nullptr) return output;
    Failpoint("sink.staged");
    if (context_.is_durable) ARROW_RETURN_NOT_OK(file_->Sync());
    ARROW_RETURN_NOT_OK(file_->Close());
    output.files.push_back({.staged_name = name_,
                            .final_suffix = suffix_,
                            .size = size_,
                            .rows = output.num_rows,
                            .checksum = XXH3_64bits_digest(hash_.get())});
    return output;
  }

  const SinkLayout layout_;
  const std::string name_;
  const WriterContext context_;

  // Touched by the one running Drain.
  std::unique_ptr<XXH3_state_t, HashStateDeleter> hash_;
  std::unique_ptr<WritableFile> file_;
  int64_t size_ = 0;

  Mutex mutex_;
  std::deque<std::string> queue_ GUARDED_BY(mutex_);
  int64_t queued_bytes_ GUARDED_BY(mutex_) = 0;
  bool is_draining_ GUARDED_BY(mutex_) = false;
  bool is_aborted_ GUARDED_BY(mutex_) = false;
  bool is_waited_for_ GUARDED_BY(mutex_) = false;  // the writer was told that it is full
  int64_t rows_ GUARDED_BY(mutex_) = 0;
  std::string suffix_;  // set before done_, read after
  SinkWriter::PrepareDone done_ GUARDED_BY(mutex_);
  arrow::Status error_ GUARDED_BY(mutex_);
};

class FileSinkWriter final : public SinkWriter {
 public:
  FileSinkWriter(const SinkSpec& spec, const WriterContext& context)
      : layout_(spec.options.GetString("path", ""), spec.job_uuid),
        context_(context),
        spec_(spec),
        suffix_(FileExtension(spec)) {}
  ~FileSinkWriter() override { Abort(); }

  arrow::Status Begin(const EpochId& id, int64_t shard) override {
    Abort();
    rows_ = 0;
    const std::string name = fmt::format("{:05}-{}-{}-{}-{}.staged", id.epoch, shard, id.term,
                                         id.attempt, NewUuid(context_.random));
    task_ = std::make_shared<StagedFileTask>(layout_, layout_.StagedName(name), context_);
    return arrow::Status::OK();
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    if (batch->num_rows() == 0) return arrow::Status::OK();
    if (encoder_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(encoder_, MakeFileEncoder(spec_, context_.zone));
    }
    rows_ += batch->num_rows();
    ARROW_RETURN_NOT_OK(encoder_->Append(batch, &text_));
    return text_.size() < kChunkBytes ? arrow::Status::OK() : PushText();
  }

  void Prepare(PrepareDone done) override {
    if (encoder_ != nullptr) {
      const arrow::Status finished = std::exchange(encoder_, nullptr)->Finish(&text_);
      if (!finished.ok()) {
        Abort();
        return done(finished);
      }
      // The task keeps the error and tells it to `done`.
      (void)PushText();
    }
    std::exchange(task_, nullptr)->Finish(rows_, suffix_, std::move(done));
  }

  void Abort() override {
    text_.clear();
    encoder_ = nullptr;
    if (task_ != nullptr) std::exchange(task_, nullptr)->Abort();
  }

  bool is_full() const override { return task_ != nullptr && task_->IsFull(); }

 private:
  arrow::Status PushText() {
    const size_t size = text_.size();
    arrow::Status pushed = task_->Push(std::exchange(text_, std::string()));
    text_.reserve(size);
    return pushed;
  }

  const SinkLayout layout_;
  const WriterContext context_;
  const SinkSpec spec_;
  const std::string suffix_;
  std::unique_ptr<FileEncoder> encoder_;  // of a file with rows
  std::shared_ptr<StagedFileTask> task_;  // between Begin and Prepare or Abort
  std::string text_;                      // bytes not handed to the task yet
  int64_t rows_ = 0;
};

}  // namespace

arrow::Result<std::unique_ptr<SinkWriter>> MakeFileSinkWriter(const SinkSpec& spec,
                                                              const WriterContext& context) {
  return std::make_unique<FileSinkWriter>(spec, context);
}

}  // namespace tidemill::connectors
