#include "connectors/rate/rate_source.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "connectors/fixed_schema.h"
#include "connectors/rate/rate_options.h"

namespace tidemill::connectors {

namespace {

// Deals the values of one range to splits, one for each partition that has any; always one at
// least, because a logged split is where a restart finds the clock's start again.
std::vector<Split> SplitsOf(RateRange range, int64_t partitions, int64_t begin, int64_t end) {
  range.partitions = std::clamp<int64_t>(range.range_end - range.range_begin, 1, partitions);
  std::vector<Split> splits;
  for (range.partition = 0; range.partition < range.partitions; ++range.partition) {
    splits.push_back({.begin = begin, .end = end, .payload = EncodeRateRange(range)});
  }
  return splits;
}

arrow::Status BadPosition(std::string_view text) {
  return MakeError(ErrorKind::kCorrupt, "INVALID_SOURCE_OFFSET",
                   fmt::format("rate source: bad position: value={}", text));
}

arrow::Result<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return BadPosition(text);
  return number;
}

class RateDriver final : public SourceDriver {
 public:
  RateDriver(RateOptions options, SourceDriverContext context)
      : options_(options), context_(std::move(context)), created_ms_(NowMs()) {}

  arrow::Result<EpochInput> Next(ReadLimit limit) override {
    const int64_t latest = fixed_end_.value_or(LatestSecond());
    EpochInput input{.start_offset = position_};
    input.latest_offset = fmt::format("{}", latest);
    if (latest > second_) {
      const RateRange range{.range_begin = RowsUntil(second_),
                            .range_end = RowsUntil(latest),
                            .start_ms = created_ms_ + second_ * 1000,
                            .span_ms = (latest - second_) * 1000};
      input.splits = SplitsOf(range, options_.partitions, second_, latest);
      second_ = latest;
      position_ = input.latest_offset;
    }
    input.end_offset = position_;
    return input;
  }

  arrow::Status FixEnd() override {
    fixed_end_ = LatestSecond();
    return arrow::Status::OK();
  }

  arrow::Status Commit(const EpochInput& input) override { return arrow::Status::OK(); }

  std::string Snapshot() const override { return fmt::format("1 {} {}", created_ms_, position_); }

  arrow::Status Restore(std::string_view snapshot) override {
    if (snapshot.substr(0, 2) != "1 ") return BadPosition(snapshot);
    snapshot.remove_prefix(2);
    const size_t blank = snapshot.find(' ');
    if (blank == std::string_view::npos) return BadPosition(snapshot);
    ARROW_ASSIGN_OR_RAISE(created_ms_, ParseNumber(snapshot.substr(0, blank)));
    return MoveTo(std::string(snapshot.substr(blank + 1)));
  }

  arrow::Result<std::vector<Split>> Replay(const EpochInput& input) override {
    if (!input.splits.empty()) {
      ARROW_ASSIGN_OR_RAISE(const RateRange range, DecodeRateRange(input.splits[0].payload));
      created_ms_ = range.start_ms - input.splits[0].begin * 1000;
    }
    ARROW_RETURN_NOT_OK(MoveTo(input.end_offset));
    return input.splits;
  }

  std::string Description() const override {
    return fmt::format("RateStreamV2[rowsPerSecond={}, rampUpTimeSeconds={}, numPartitions={}]",
                       options_.rows_per_second, options_.ramp_up_seconds, options_.partitions);
  }

 private:
  int64_t NowMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               context_.clock->Now().time_since_epoch())
        .count();
  }
  // Never behind the position: the wall clock may have been set back.
  int64_t LatestSecond() const { return std::max(second_, (NowMs() - created_ms_) / 1000); }
  int64_t RowsUntil(int64_t second) const {
    return RowsUntilSecond(second, options_.rows_per_second, options_.ramp_up_seconds);
  }
  arrow::Status MoveTo(std::string position) {
    second_ = 0;
    if (!position.empty()) {
      ARROW_ASSIGN_OR_RAISE(second_, ParseNumber(position));
    }
    position_ = std::move(position);
    return arrow::Status::OK();
  }

  const RateOptions options_;
  const SourceDriverContext context_;
  int64_t created_ms_;
  int64_t second_ = 0;
  std::string position_;
  std::optional<int64_t> fixed_end_;
};

class RatePerBatchDriver final : public SourceDriver {
 public:
  explicit RatePerBatchDriver(RateOptions options)
      : options_(options), timestamp_ms_(options.start_timestamp_ms) {}

  // Each call makes one epoch, whatever the clock says; after FixEnd one more.
  arrow::Result<EpochInput> Next(ReadLimit limit) override {
    EpochInput input{.start_offset = position_, .end_offset = position_};
    if (is_end_fixed_ && epochs_left_-- <= 0) {
      input.latest_offset = position_;
      return input;
    }
    const int64_t end = offset_ + options_.rows_per_batch;
    const RateRange range{
        .range_begin = offset_, .range_end = end, .start_ms = timestamp_ms_, .span_ms = 0};
    input.splits = SplitsOf(range, options_.partitions, offset_, end);
    offset_ = end;
    timestamp_ms_ += options_.advance_ms_per_batch;
    position_ = fmt::format("{{\"offset\":{},\"timestamp\":{}}}", offset_, timestamp_ms_);
    input.end_offset = position_;
    input.latest_offset = position_;
    return input;
  }

  arrow::Status FixEnd() override {
    is_end_fixed_ = true;
    epochs_left_ = 1;
    return arrow::Status::OK();
  }

  arrow::Status Commit(const EpochInput& input) override { return arrow::Status::OK(); }
  std::string Snapshot() const override { return position_; }
  arrow::Status Restore(std::string_view snapshot) override {
    return MoveTo(std::string(snapshot));
  }

  arrow::Result<std::vector<Split>> Replay(const EpochInput& input) override {
    ARROW_RETURN_NOT_OK(MoveTo(input.end_offset));
    return input.splits;
  }

  std::string Description() const override {
    return fmt::format(
        "RatePerMicroBatchStream[rowsPerBatch={}, numPartitions={}, startTimestamp={}, "
        "advanceMsPerBatch={}]",
        options_.rows_per_batch, options_.partitions, options_.start_timestamp_ms,
        options_.advance_ms_per_batch);
  }

 private:
  arrow::Status MoveTo(std::string position) {
    offset_ = 0;
    timestamp_ms_ = options_.start_timestamp_ms;
    long long offset = 0;
    long long timestamp = 0;
    if (!position.empty()) {
      if (std::sscanf(position.c_str(), "{\"offset\":%lld,\"timestamp\":%lld}", &offset,
                      &timestamp) != 2) {
        return BadPosition(position);
      }
      offset_ = offset;
      timestamp_ms_ = timestamp;
    }
    position_ = std::move(position);
    return arrow::Status::OK();
  }

  const RateOptions options_;
  int64_t offset_ = 0;
  int64_t timestamp_ms_;
  std::string position_;
  bool is_end_fixed_ = false;
  int64_t epochs_left_ = 0;
};

class RateSplitReader final : public SplitReader {
 public:
  RateSplitReader(RateRange range, std::shared_ptr<arrow::Schema> schema, ReaderContext context)
      : range_(range), schema_(std::move(schema)), context_(std::move(context)) {}

  arrow::Result<ReadStep> Next() override {
    const int64_t rows = std::min(range_.row_count() - row_, context_.batch_rows);
    if (rows <= 0) return ReadStep{};
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                            arrow::AllocateBuffer(rows * sizeof(int64_t), context_.pool));
      Fill(field->type()->id() == arrow::Type::TIMESTAMP,
           {reinterpret_cast<int64_t*>(buffer->mutable_data()), static_cast<size_t>(rows)});
      columns.push_back(arrow::MakeArray(arrow::ArrayData::Make(
          field->type(), rows, {nullptr, std::move(buffer)}, /*null_count=*/0)));
    }
    batch_row_ = row_;
    row_ += rows;
    return ReadStep{.kind = ReadStep::Kind::kBatch,
                    .batch = arrow::RecordBatch::Make(schema_, rows, std::move(columns))};
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    return [value = range_.range_begin + Relative(batch_row_ + row)] {
      return fmt::format("rate source, value {}", value);
    };
  }

 private:
  int64_t Relative(int64_t row) const { return range_.partition + range_.partitions * row; }

  void Fill(bool is_timestamp, std::span<int64_t> out) const {
    const double ms_per_value = static_cast<double>(range_.span_ms) /
                                static_cast<double>(range_.range_end - range_.range_begin);
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t relative = Relative(row_ + static_cast<int64_t>(i));
      if (!is_timestamp) {
        out[i] = range_.range_begin + relative;
        continue;
      }
      // Half rounds up, as Java's Math.round.
      const double ms = static_cast<double>(relative) * ms_per_value + 0.5;
      out[i] = (range_.start_ms + static_cast<int64_t>(ms)) * 1000;
    }
  }

  const RateRange range_;
  const std::shared_ptr<arrow::Schema> schema_;
  const ReaderContext context_;
  int64_t row_ = 0;
  int64_t batch_row_ = 0;  // of the last batch's first row
};

class RateReader final : public SourceReader {
 public:
  explicit RateReader(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    ARROW_ASSIGN_OR_RAISE(const RateRange range, DecodeRateRange(split.payload));
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    return std::make_unique<RateSplitReader>(range, schema_, std::move(context));
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

arrow::Result<SourceSpec> ResolveRateSource(SourceSpec spec) {
  ARROW_RETURN_NOT_OK(ParseRateOptions(spec).status());
  return WithFixedSchema(std::move(spec), arrow::schema({arrow::field("timestamp", TimestampType()),
                                                         arrow::field("value", arrow::int64())}));
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeRateSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(const RateOptions options, ParseRateOptions(spec));
  if (options.is_per_batch) return std::make_unique<RatePerBatchDriver>(options);
  return std::make_unique<RateDriver>(options, context);
}

arrow::Result<std::unique_ptr<SourceReader>> MakeRateSourceReader(const SourceSpec& spec,
                                                                  const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(spec.schema->field(column));
  return std::make_unique<RateReader>(arrow::schema(std::move(fields)));
}

}  // namespace tidemill::connectors
