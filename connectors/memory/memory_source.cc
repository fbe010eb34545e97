#include "connectors/memory/memory_source.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"

namespace tidemill::connectors {

namespace {

// Rows of a split: enough for a lane to be worth its while.
constexpr int64_t kSplitRows = 1 << 20;

struct Rows {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t count = 0;
};

class RowsByToken {
 public:
  static RowsByToken* OfProcess() {
    static RowsByToken rows;
    return &rows;
  }
  void Add(const std::string& token, std::shared_ptr<const Rows> rows) {
    MutexLock lock(&mutex_);
    rows_[token] = std::move(rows);
  }
  void Remove(const std::string& token) {
    MutexLock lock(&mutex_);
    rows_.erase(token);
  }
  arrow::Result<std::shared_ptr<const Rows>> Find(const SourceSpec& spec) const {
    MutexLock lock(&mutex_);
    const auto found = rows_.find(spec.options.GetString("token", ""));
    if (found != rows_.end()) return found->second;
    return WithHint(
        MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_SOURCE",
                  fmt::format("source format cannot be read by a job: format={}", spec.format)),
        "read memory tables with tidemill sql --driver");
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Rows>> rows_ GUARDED_BY(mutex_);
};

class MemorySourceDriver final : public SourceDriver {
 public:
  MemorySourceDriver(std::string name, int64_t rows) : name_(std::move(name)), rows_(rows) {}

  arrow::Result<EpochInput> Next(ReadLimit limit) override {
    EpochInput input{.start_offset = position_, .end_offset = End(), .latest_offset = End()};
    for (int64_t begin = position_.empty() ? 0 : rows_; begin < rows_; begin += kSplitRows) {
      input.splits.push_back({.begin = begin, .end = std::min(begin + kSplitRows, rows_)});
    }
    position_ = input.end_offset;
    return input;
  }
  arrow::Status FixEnd() override { return arrow::Status::OK(); }
  arrow::Status Commit(const EpochInput& input) override { return arrow::Status::OK(); }
  std::string Snapshot() const override { return position_; }
  arrow::Status Restore(std::string_view snapshot) override {
    position_ = std::string(snapshot);
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<Split>> Replay(const EpochInput& input) override {
    position_ = input.end_offset;
    return input.splits;
  }
  std::string Description() const override { return fmt::format("MemorySource[{}]", name_); }

 private:
  // An empty table has an end too: its query runs one epoch.
  std::string End() const { return std::to_string(rows_); }

  const std::string name_;
  const int64_t rows_;
  std::string position_;
};

class MemorySplitReader final : public SplitReader {
 public:
  MemorySplitReader(std::shared_ptr<const Rows> rows, std::vector<int> columns, const Split& split,
                    int64_t batch_rows)
      : rows_(std::move(rows)),
        columns_(std::move(columns)),
        position_(split.begin),
        end_(split.end),
        batch_rows_(batch_rows) {}

  arrow::Result<ReadStep> Next() override {
    while (position_ < end_) {
      const auto& batch = rows_->batches[index_];
      const int64_t within = position_ - first_row_;
      if (within >= batch->num_rows()) {
        first_row_ += batch->num_rows();
        ++index_;
        continue;
      }
      const int64_t count = std::min({batch->num_rows() - within, end_ - position_, batch_rows_});
      position_ += count;
      ARROW_ASSIGN_OR_RAISE(auto selected, batch->SelectColumns(columns_));
      return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = selected->Slice(within, count)};
    }
    return ReadStep{};
  }

 private:
  const std::shared_ptr<const Rows> rows_;
  const std::vector<int> columns_;
  int64_t position_;  // rows of the whole table
  const int64_t end_;
  const int64_t batch_rows_;
  size_t index_ = 0;       // of a batch
  int64_t first_row_ = 0;  // of that batch
};

class MemorySourceReader final : public SourceReader {
 public:
  MemorySourceReader(std::shared_ptr<const Rows> rows, std::vector<int> columns)
      : rows_(std::move(rows)), columns_(std::move(columns)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    return std::make_unique<MemorySplitReader>(rows_, columns_, split, context.batch_rows);
  }

 private:
  const std::shared_ptr<const Rows> rows_;
  const std::vector<int> columns_;
};

std::shared_ptr<const Rows> MakeRows(std::shared_ptr<arrow::Schema> schema,
                                     std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  auto rows = std::make_shared<Rows>();
  rows->schema = std::move(schema);
  rows->batches = std::move(batches);
  for (const auto& batch : rows->batches) rows->count += batch->num_rows();
  return rows;
}

}  // namespace

HeldRows::HeldRows(std::shared_ptr<arrow::Schema> schema,
                   std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Random* random)
    : token_(NewUuid(random)) {
  RowsByToken::OfProcess()->Add(token_, MakeRows(std::move(schema), std::move(batches)));
}

HeldRows::~HeldRows() { RowsByToken::OfProcess()->Remove(token_); }

arrow::Result<SourceSpec> ResolveMemorySource(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, RowsByToken::OfProcess()->Find(spec));
  spec.schema = rows->schema;
  return spec;
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeMemorySourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, RowsByToken::OfProcess()->Find(spec));
  return std::make_unique<MemorySourceDriver>(spec.name, rows->count);
}

arrow::Result<std::unique_ptr<SourceReader>> MakeMemorySourceReader(
    const SourceSpec& spec, const std::vector<int>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto rows, RowsByToken::OfProcess()->Find(spec));
  return std::make_unique<MemorySourceReader>(std::move(rows), columns);
}

}  // namespace tidemill::connectors
