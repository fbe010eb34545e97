#include "connectors/file/block_stream.h"

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "connectors/file/compression.h"
#include "connectors/file/split_file.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kBlockBytes = int64_t{2} << 20;
constexpr int64_t kTailBytes = int64_t{64} << 10;  // behind the end of the split
constexpr int64_t kCompressedBytes = int64_t{1} << 20;
constexpr size_t kReadAhead = 2;  // blocks read and not consumed yet

// Memory of blocks that comes back when they are done with: fresh pages would cost as much as
// reading into them. *Thread-safe.*
class BlockMemory : public std::enable_shared_from_this<BlockMemory> {
 public:
  explicit BlockMemory(arrow::MemoryPool* pool) : pool_(pool) {}

  // A writable buffer of `size` bytes.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Take(int64_t size) {
    std::unique_ptr<arrow::ResizableBuffer> memory;
    {
      MutexLock lock(&mutex_);
      if (!idle_.empty() && idle_.back()->capacity() >= size) {
        memory = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (memory == nullptr) {
      ARROW_ASSIGN_OR_RAISE(memory, arrow::AllocateResizableBuffer(size, pool_));
    }
    ARROW_RETURN_NOT_OK(memory->Resize(size, /*shrink_to_fit=*/false));
    return std::make_shared<Lent>(std::move(memory), shared_from_this());
  }

 private:
  class Lent final : public arrow::MutableBuffer {
   public:
    Lent(std::unique_ptr<arrow::ResizableBuffer> memory, std::shared_ptr<BlockMemory> owner)
        : MutableBuffer(memory->mutable_data(), memory->size()),
          memory_(std::move(memory)),
          owner_(std::move(owner)) {}
    ~Lent() override {
      MutexLock lock(&owner_->mutex_);
      owner_->idle_.push_back(std::move(memory_));
    }

   private:
    std::unique_ptr<arrow::ResizableBuffer> memory_;
    const std::shared_ptr<BlockMemory> owner_;
  };

  arrow::MemoryPool* const pool_;
  Mutex mutex_;
  std::vector<std::unique_ptr<arrow::ResizableBuffer>> idle_ GUARDED_BY(mutex_);
};

// The blocking half: all that a read task touches.
class BlockReader {
 public:
  BlockReader(Split split, int64_t begin, FileSystem* fs, arrow::MemoryPool* pool)
      : split_(std::move(split)),
        fs_(fs),
        pool_(pool),
        memory_(std::make_shared<BlockMemory>(pool)),
        offset_(begin) {}

  // The next block; one without bytes at the end of the file.
  arrow::Result<Block> Read() {
    if (file_ == nullptr) ARROW_RETURN_NOT_OK(Open());
    auto block = inflater_ == nullptr ? ReadPlain() : ReadCompressed();
    if (block.ok()) return block;
    return WithContext(block.status(), fmt::format("read input file {}", split_.path));
  }

  // Whether the next block is wanted only by a line that crosses the end of the split.
  bool IsBehindSplit() const { return inflater_ == nullptr && offset_ >= split_.end; }
  bool IsAtEnd() const { return inflater_ == nullptr && offset_ >= split_.file_size; }

 private:
  arrow::Status Open() {
    ARROW_ASSIGN_OR_RAISE(file_, OpenSplitFile(split_, fs_));
    ARROW_ASSIGN_OR_RAISE(const auto compression, CompressionOf(split_.path));
    if (compression != arrow::Compression::UNCOMPRESSED) {
      ARROW_ASSIGN_OR_RAISE(inflater_, Inflater::Make(compression));
    }
    return arrow::Status::OK();
  }

  arrow::Result<Block> ReadPlain() {
    const bool is_tail = offset_ >= split_.end;
    const int64_t limit = is_tail ? split_.file_size : split_.end;
    const int64_t size = std::min(limit - offset_, is_tail ? kTailBytes : kBlockBytes);
    if (size <= 0) return Block{.bytes = nullptr, .offset = offset_};
    ARROW_ASSIGN_OR_RAISE(auto buffer, memory_->Take(size));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file_->ReadAt(offset_, size, buffer->mutable_data()));
    if (got != size) return SplitFileChanged(split_, offset_ + got, split_.mtime_us);
    Block block{.bytes = std::move(buffer), .offset = offset_};
    offset_ += size;
    return block;
  }

  arrow::Result<Block> ReadCompressed() {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(kBlockBytes, pool_));
    char* const out = reinterpret_cast<char*>(buffer->mutable_data());
    int64_t filled = 0;
    while (filled < kBlockBytes) {
      if (input_.empty() && read_ < split_.file_size) ARROW_RETURN_NOT_OK(ReadInput());
      ARROW_ASSIGN_OR_RAISE(const Inflater::Step step,
                            inflater_->Inflate(input_, out + filled, kBlockBytes - filled));
      input_.remove_prefix(step.consumed);
      filled += step.produced;
      if (step.consumed > 0 || step.produced > 0) continue;
      if (read_ < split_.file_size) {
        ARROW_RETURN_NOT_OK(ReadInput());
        continue;
      }
      if (inflater_->has_open_stream() || !input_.empty()) {
        return MakeError(ErrorKind::kJobFailed, "CORRUPT_COMPRESSED_FILE",
                         "compressed file ends too early");
      }
      break;
    }
    ARROW_RETURN_NOT_OK(buffer->Resize(filled, /*shrink_to_fit=*/filled < kBlockBytes / 2));
    Block block{.bytes = filled == 0 ? nullptr : std::move(buffer), .offset = offset_};
    offset_ += filled;
    return block;
  }

  // Appends to what is left of the input.
  arrow::Status ReadInput() {
    std::string input(input_);
    const size_t kept = input.size();
    const int64_t size = std::min(kCompressedBytes, split_.file_size - read_);
    input.resize(kept + size);
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file_->ReadAt(read_, size, input.data() + kept));
    if (got != size) return SplitFileChanged(split_, read_ + got, split_.mtime_us);
    read_ += size;
    input_bytes_ = std::move(input);
    input_ = input_bytes_;
    return arrow::Status::OK();
  }

  const Split split_;
  FileSystem* const fs_;
  arrow::MemoryPool* const pool_;
  const std::shared_ptr<BlockMemory> memory_;
  int64_t offset_;
  std::shared_ptr<ReadableFile> file_;
  std::unique_ptr<Inflater> inflater_;
  int64_t read_ = 0;         // compressed bytes read
  std::string input_bytes_;  // of which input_ is not decompressed yet
  std::string_view input_;
};

}  // namespace

struct BlockStream::State {
  State(const Split& split, int64_t begin, const ReaderContext& context)
      : reader(split, begin, context.fs, context.pool), io(context.io), wake(context.wake) {}

  BlockReader reader;  // touched by the one running task, or with is_reading false
  Executor* const io;
  const std::function<void()> wake;

  Mutex mutex;
  std::deque<arrow::Result<Block>> ready GUARDED_BY(mutex);
  bool is_reading GUARDED_BY(mutex) = false;
  bool is_finished GUARDED_BY(mutex) = false;  // the last element of ready ends the stream
  bool is_abandoned GUARDED_BY(mutex) = false;
};

BlockStream::BlockStream(const Split& split, int64_t begin, const ReaderContext& context)
    : state_(std::make_shared<State>(split, begin, context)) {}

BlockStream::~BlockStream() {
  MutexLock lock(&state_->mutex);
  state_->is_abandoned = true;
}

void BlockStream::Read(const std::shared_ptr<State>& state) {
  while (true) {
    {
      MutexLock lock(&state->mutex);
      if (state->is_abandoned) return;
    }
    auto block = state->reader.Read();
    const bool is_failed = !block.ok();
    const bool is_last = is_failed || block->bytes == nullptr || state->reader.IsAtEnd();
    const bool is_enough = is_last || state->reader.IsBehindSplit();
    bool goes_on = false;
    {
      MutexLock lock(&state->mutex);
      if (state->is_abandoned) return;
      const bool is_end = is_failed || block->bytes == nullptr;
      state->ready.push_back(std::move(block));
      if (is_last && !is_end) state->ready.push_back(Block{});
      state->is_finished = is_last;
      goes_on = !is_enough && state->ready.size() < kReadAhead;
      state->is_reading = goes_on;
    }
    state->wake();
    if (!goes_on) return;
  }
}

arrow::Result<BlockStream::Step> BlockStream::Next() {
  arrow::Result<Block> block = Block{};
  bool has_block = false;
  bool must_read = false;
  {
    MutexLock lock(&state_->mutex);
    has_block = !state_->ready.empty();
    if (has_block && state_->is_finished && state_->ready.size() == 1) {
      // Stays, so that every later call sees the end again.
      if (!state_->ready.front().ok()) return state_->ready.front().status();
      return Step{};
    }
    if (has_block) {
      block = std::move(state_->ready.front());
      state_->ready.pop_front();
    }
    must_read = !state_->is_reading && !state_->is_finished && state_->ready.size() < kReadAhead &&
                (!has_block || !state_->reader.IsBehindSplit());
    if (must_read) state_->is_reading = true;
  }
  if (must_read) state_->io->Post([state = state_] { Read(state); });
  if (!has_block) return Step{.kind = Kind::kPending};
  ARROW_RETURN_NOT_OK(block.status());
  return Step{.kind = Kind::kBlock, .block = *std::move(block)};
}

arrow::Status ReadFront(const Split& split, int64_t size, FileSystem* fs,
                        const std::function<void(std::string_view)>& take) {
  Split whole = split;
  whole.begin = 0;
  whole.end = split.file_size;
  BlockReader reader(std::move(whole), /*begin=*/0, fs, arrow::default_memory_pool());
  while (size > 0) {
    ARROW_ASSIGN_OR_RAISE(const Block block, reader.Read());
    if (block.bytes == nullptr) break;
    const std::string_view bytes(reinterpret_cast<const char*>(block.bytes->data()),
                                 block.bytes->size());
    take(bytes.substr(0, size));
    size -= block.bytes->size();
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::connectors
