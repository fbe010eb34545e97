#include "connectors/memory/row_table.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tidemill::connectors {

namespace {

// Rows of a split: enough for a lane to be worth its while.
constexpr int64_t kSplitRows = 1 << 20;

class RowTableDriver final : public SourceDriver {
 public:
  RowTableDriver(std::string description, int64_t rows)
      : description_(std::move(description)), rows_(rows) {}

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
  std::string Description() const override { return description_; }

 private:
  // An empty table has an end too: its query runs one epoch.
  std::string End() const { return std::to_string(rows_); }

  const std::string description_;
  const int64_t rows_;
  std::string position_;
};

class RowTableSplitReader final : public SplitReader {
 public:
  RowTableSplitReader(std::string name, std::shared_ptr<const RowTable> table,
                      std::vector<int> columns, const Split& split, int64_t batch_rows)
      : name_(std::move(name)),
        table_(std::move(table)),
        columns_(std::move(columns)),
        position_(split.begin),
        end_(split.end),
        batch_rows_(batch_rows) {}

  arrow::Result<ReadStep> Next() override {
    while (position_ < end_) {
      const auto& batch = table_->batches[index_];
      const int64_t within = position_ - first_row_;
      if (within >= batch->num_rows()) {
        first_row_ += batch->num_rows();
        ++index_;
        continue;
      }
      const int64_t count = std::min({batch->num_rows() - within, end_ - position_, batch_rows_});
      batch_row_ = position_;
      position_ += count;
      ARROW_ASSIGN_OR_RAISE(auto selected, batch->SelectColumns(columns_));
      return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = selected->Slice(within, count)};
    }
    return ReadStep{};
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    if (name_.empty()) return [] { return std::string(); };
    return [place = fmt::format("{}, row {}", name_, batch_row_ + row + 1)] { return place; };
  }

 private:
  const std::string name_;
  const std::shared_ptr<const RowTable> table_;
  const std::vector<int> columns_;
  int64_t position_;  // rows of the whole table
  const int64_t end_;
  const int64_t batch_rows_;
  size_t index_ = 0;       // of a batch
  int64_t first_row_ = 0;  // of that batch
  int64_t batch_row_ = 0;  // of what was handed out last
};

class RowTableReader final : public SourceReader {
 public:
  RowTableReader(std::string name, std::shared_ptr<const RowTable> table, std::vector<int> columns)
      : name_(std::move(name)), table_(std::move(table)), columns_(std::move(columns)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    return std::make_unique<RowTableSplitReader>(name_, table_, columns_, split,
                                                 context.batch_rows);
  }

 private:
  const std::string name_;
  const std::shared_ptr<const RowTable> table_;
  const std::vector<int> columns_;
};

}  // namespace

std::shared_ptr<const RowTable> RowTable::Make(
    std::shared_ptr<arrow::Schema> schema,
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  auto table = std::make_shared<RowTable>();
  table->schema = std::move(schema);
  table->batches = std::move(batches);
  for (const auto& batch : table->batches) table->num_rows += batch->num_rows();
  return table;
}

std::unique_ptr<SourceDriver> MakeRowTableDriver(std::string description, int64_t num_rows) {
  return std::make_unique<RowTableDriver>(std::move(description), num_rows);
}

std::unique_ptr<SourceReader> MakeRowTableReader(std::string name,
                                                 std::shared_ptr<const RowTable> table,
                                                 std::vector<int> columns) {
  return std::make_unique<RowTableReader>(std::move(name), std::move(table), std::move(columns));
}

}  // namespace tidemill::connectors
