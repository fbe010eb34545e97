#include "connectors/socket/socket_source.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/types/ddl.h"
#include "connectors/fixed_schema.h"
#include "connectors/socket/line_receiver.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kMaxEpochBytes = int64_t{64} << 20;  // of one epoch's input

struct SocketOptions {
  std::string host;
  int port = 0;
  bool includes_timestamp = false;
};

arrow::Result<SocketOptions> ParseSocketOptions(const Options& options) {
  SocketOptions parsed;
  ARROW_RETURN_NOT_OK(options.RequireKnown({"host", "port", "includeTimestamp"}, "socket"));
  for (const std::string_view key : {"host", "port"}) {
    if (options.GetString(key, "").empty()) {
      return MakeError(ErrorKind::kInvalid, "MISSING_OPTION",
                       fmt::format("Set a {} to read from with option(\"{}\", ...).", key, key));
    }
  }
  parsed.host = options.GetString("host", "");
  ARROW_ASSIGN_OR_RAISE(const int64_t port, options.GetInt("port", 0, 1, 65535));
  parsed.port = static_cast<int>(port);
  ARROW_ASSIGN_OR_RAISE(parsed.includes_timestamp, options.GetBool("includeTimestamp", false));
  return parsed;
}

class SocketDriver final : public SourceDriver {
 public:
  SocketDriver(SocketOptions options, std::unique_ptr<LineReceiver> receiver)
      : options_(std::move(options)), receiver_(std::move(receiver)) {}

  arrow::Result<EpochInput> Next(ReadLimit limit) override {
    EpochInput input{.start_offset = PositionText()};
    const int64_t max_bytes =
        limit.everything ? limit.bytes : std::min(limit.bytes, kMaxEpochBytes);
    for (LineChunk& chunk : receiver_->Take(max_bytes)) {
      input.splits.push_back(
          {.begin = next_row_, .end = next_row_ + chunk.rows, .payload = std::move(chunk.bytes)});
      next_row_ += chunk.rows;
    }
    input.end_offset = PositionText();
    input.latest_offset = input.end_offset;
    return input;
  }

  arrow::Status FixEnd() override {
    receiver_->Stop();
    return arrow::Status::OK();
  }

  // Rows were handed over with their plan; nothing is kept here.
  arrow::Status Commit(const EpochInput& input) override { return arrow::Status::OK(); }
  std::string Snapshot() const override { return PositionText(); }
  arrow::Status Restore(std::string_view snapshot) override { return MoveTo(snapshot); }

  arrow::Result<std::vector<Split>> Replay(const EpochInput& input) override {
    ARROW_RETURN_NOT_OK(MoveTo(input.end_offset));
    for (const Split& split : input.splits) {
      if (!split.payload.empty()) continue;
      LogWarn("data_lost")
          .With("source", Description())
          .With("first_row", split.begin)
          .With("rows", input.splits.back().end - split.begin);
      return std::vector<Split>();
    }
    return input.splits;
  }

  std::string Description() const override {
    return fmt::format("TextSocketV2[host: {}, port: {}]", options_.host, options_.port);
  }

 private:
  std::string PositionText() const {
    return next_row_ == 0 ? std::string() : fmt::format("{}", next_row_ - 1);
  }
  arrow::Status MoveTo(std::string_view position) {
    int64_t last_row = -1;
    const char* const end = position.data() + position.size();
    const auto [next, error] = std::from_chars(position.data(), end, last_row);
    if (!position.empty() && (error != std::errc() || next != end || last_row < 0)) {
      return MakeError(ErrorKind::kCorrupt, "INVALID_SOURCE_OFFSET",
                       fmt::format("socket source: bad position: value={}", position));
    }
    next_row_ = last_row + 1;
    return arrow::Status::OK();
  }

  const SocketOptions options_;
  const std::unique_ptr<LineReceiver> receiver_;
  int64_t next_row_ = 0;
};

// Cuts the payload of a split into batches.
class SocketSplitReader final : public SplitReader {
 public:
  SocketSplitReader(const Split& split, std::string address, std::shared_ptr<arrow::Schema> schema,
                    ReaderContext context)
      : payload_(split.payload),
        rest_(payload_),
        address_(std::move(address)),
        next_row_(split.begin),
        schema_(std::move(schema)),
        context_(std::move(context)) {}

  arrow::Result<ReadStep> Next() override {
    std::vector<ReceivedLine> lines;
    int64_t bytes = 0;
    while (!rest_.empty() && static_cast<int64_t>(lines.size()) < context_.batch_rows &&
           bytes < context_.batch_bytes) {
      if (!TakeLine(&rest_, &lines.emplace_back())) {
        return MakeError(ErrorKind::kCorrupt, "INVALID_SPLIT", "socket split: bad payload");
      }
      bytes += static_cast<int64_t>(lines.back().text.size());
    }
    if (lines.empty()) return ReadStep{};
    batch_row_ = next_row_;
    next_row_ += static_cast<int64_t>(lines.size());
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto column, field->type()->id() == arrow::Type::STRING
                                             ? Texts(lines, bytes)
                                             : Arrivals(lines, field->type()));
      columns.push_back(std::move(column));
    }
    return ReadStep{.kind = ReadStep::Kind::kBatch,
                    .batch = arrow::RecordBatch::Make(schema_, static_cast<int64_t>(lines.size()),
                                                      std::move(columns))};
  }

  // Lines are counted from the job's first one on.
  PlaceFinder PlaceOf(int64_t row) const override {
    return [place = fmt::format("socket {}, line {}", address_, batch_row_ + row + 1)] {
      return place;
    };
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Texts(const std::vector<ReceivedLine>& lines,
                                                     int64_t bytes) const {
    arrow::StringBuilder builder(context_.pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(lines.size())));
    ARROW_RETURN_NOT_OK(builder.ReserveData(bytes));
    for (const ReceivedLine& line : lines) builder.UnsafeAppend(line.text);
    return builder.Finish();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Arrivals(
      const std::vector<ReceivedLine>& lines, const std::shared_ptr<arrow::DataType>& type) const {
    arrow::TimestampBuilder builder(type, context_.pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(lines.size())));
    for (const ReceivedLine& line : lines) builder.UnsafeAppend(line.arrival_us);
    return builder.Finish();
  }

  const std::string payload_;
  std::string_view rest_;
  const std::string address_;
  int64_t next_row_;
  int64_t batch_row_ = 0;  // of the last batch's first row
  const std::shared_ptr<arrow::Schema> schema_;
  const ReaderContext context_;
};

class SocketReader final : public SourceReader {
 public:
  SocketReader(std::string address, std::shared_ptr<arrow::Schema> schema)
      : address_(std::move(address)), schema_(std::move(schema)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    return std::make_unique<SocketSplitReader>(split, address_, schema_, std::move(context));
  }

 private:
  const std::string address_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

arrow::Result<SourceSpec> ResolveSocketSource(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const SocketOptions options, ParseSocketOptions(spec.options));
  arrow::FieldVector fields = {arrow::field("value", arrow::utf8())};
  if (options.includes_timestamp) fields.push_back(arrow::field("timestamp", TimestampType()));
  return WithFixedSchema(std::move(spec), arrow::schema(std::move(fields)));
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeSocketSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(SocketOptions options, ParseSocketOptions(spec.options));
  auto wake = context.wake ? context.wake : std::function<void()>([] {});
  ARROW_ASSIGN_OR_RAISE(auto receiver, LineReceiver::Connect(options.host, options.port,
                                                             context.clock, std::move(wake)));
  return std::make_unique<SocketDriver>(std::move(options), std::move(receiver));
}

arrow::Result<std::unique_ptr<SourceReader>> MakeSocketSourceReader(
    const SourceSpec& spec, const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(spec.schema->field(column));
  ARROW_ASSIGN_OR_RAISE(const SocketOptions options, ParseSocketOptions(spec.options));
  return std::make_unique<SocketReader>(fmt::format("{}:{}", options.host, options.port),
                                        arrow::schema(std::move(fields)));
}

}  // namespace tidemill::connectors
