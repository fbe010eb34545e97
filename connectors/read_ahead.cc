#include "connectors/read_ahead.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "common/base/mutex.h"
#include "common/base/own_thread_executor.h"

namespace tidemill::connectors {

namespace {

// Makes batches in tasks, one at a time. Shared by the reader, its task and the wake-ups of the
// reader inside, each of which may be the last.
class BatchMaker : public std::enable_shared_from_this<BatchMaker> {
 public:
  BatchMaker(Executor* io, std::function<void()> wake) : io_(io), wake_(std::move(wake)) {}

  arrow::Status Open(SourceReader* source, const Split& split, ReaderContext context) {
    context.wake = [weak = weak_from_this()] {
      if (const auto maker = weak.lock()) maker->OnWake();
    };
    ARROW_ASSIGN_OR_RAISE(inner_, source->Open(split, std::move(context)));
    return arrow::Status::OK();
  }

  // What is next, or nothing while it is made.
  std::optional<arrow::Result<ReadStep>> Take() {
    MutexLock lock(&mutex_);
    std::optional<arrow::Result<ReadStep>> step;
    if (!made_.empty()) {
      step = std::move(made_.front());
      made_.pop_front();
    }
    if (phase_ == Phase::kIdle) Begin();
    return step;
  }

  void Stop() {
    MutexLock lock(&mutex_);
    phase_ = Phase::kEnded;
  }

 private:
  enum class Phase {
    kIdle,     // the queue was full, or nothing has begun
    kRunning,  // the task has the inner reader
    kWaiting,  // the inner reader is pending
    kEnded,
  };

  void Begin() REQUIRES(mutex_) {
    phase_ = Phase::kRunning;
    io_->Post([self = shared_from_this()] { self->Run(); });
  }

  void OnWake() {
    MutexLock lock(&mutex_);
    if (phase_ == Phase::kWaiting) {
      Begin();
    } else if (phase_ == Phase::kRunning) {
      was_woken_ = true;
    }
  }

  void Run() {
    while (Keep(inner_->Next())) {
    }
  }

  // Whether there is more to do now.
  bool Keep(arrow::Result<ReadStep> step) {
    const bool is_pending = step.ok() && step->kind == ReadStep::Kind::kPending;
    const bool is_last = !step.ok() || step->kind == ReadStep::Kind::kEnd;
    bool goes_on = false;
    {
      MutexLock lock(&mutex_);
      const bool was_woken = std::exchange(was_woken_, false);
      if (phase_ != Phase::kRunning) return false;
      if (is_pending) {
        if (!was_woken) phase_ = Phase::kWaiting;
        return was_woken;
      }
      made_.push_back(std::move(step));
      if (is_last) {
        phase_ = Phase::kEnded;
      } else if (made_.size() >= kReadAheadBatches) {
        phase_ = Phase::kIdle;
      }
      goes_on = phase_ == Phase::kRunning;
    }
    wake_();
    return goes_on;
  }

  Executor* const io_;
  const std::function<void()> wake_;
  std::unique_ptr<SplitReader> inner_;  // the running task's
  Mutex mutex_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::kIdle;
  bool was_woken_ GUARDED_BY(mutex_) = false;
  std::deque<arrow::Result<ReadStep>> made_ GUARDED_BY(mutex_);
};

// Of the `number`th batch of the split, from 1, or what is in its place: reads up to it once more.
std::string PlaceIn(SourceReader* source, const Split& split, ReaderContext context, int64_t number,
                    int64_t row) {
  OwnThreadExecutor io;
  context.io = &io;
  context.wake = [] {};
  auto reader = source->Open(split, std::move(context));
  while (reader.ok()) {
    const auto step = (*reader)->Next();
    if (step.ok() && step->kind == ReadStep::Kind::kPending) {
      io.RunAll();
    } else if (--number == 0 || !step.ok() || step->kind == ReadStep::Kind::kEnd) {
      return (*reader)->PlaceOf(row)();
    }
  }
  return split.path;
}

class AheadReader final : public SplitReader {
 public:
  AheadReader(std::shared_ptr<BatchMaker> maker, std::shared_ptr<SourceReader> source, Split split,
              ReaderContext context)
      : maker_(std::move(maker)),
        source_(std::move(source)),
        split_(std::move(split)),
        context_(std::move(context)) {}
  ~AheadReader() override { maker_->Stop(); }

  arrow::Result<ReadStep> Next() override {
    auto step = maker_->Take();
    if (!step) return ReadStep{.kind = ReadStep::Kind::kPending};
    ++taken_;
    return *std::move(step);
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    return [source = source_, split = split_, context = context_, number = taken_, row] {
      return PlaceIn(source.get(), split, context, number, row);
    };
  }

 private:
  const std::shared_ptr<BatchMaker> maker_;
  const std::shared_ptr<SourceReader> source_;
  const Split split_;
  const ReaderContext context_;
  int64_t taken_ = 0;
};

}  // namespace

arrow::Result<std::unique_ptr<SplitReader>> OpenAhead(const std::shared_ptr<SourceReader>& source,
                                                      const Split& split,
                                                      const ReaderContext& context) {
  if (context.io == nullptr) return source->Open(split, context);
  auto maker = std::make_shared<BatchMaker>(context.io, context.wake);
  ARROW_RETURN_NOT_OK(maker->Open(source.get(), split, context));
  return std::make_unique<AheadReader>(std::move(maker), source, split, context);
}

}  // namespace tidemill::connectors
