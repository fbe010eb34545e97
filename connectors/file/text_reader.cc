#include "connectors/file/text_reader.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "connectors/file/file_options.h"
#include "connectors/file/line_place.h"
#include "connectors/file/line_source.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kMaxLineBytes = int64_t{512} << 20;

// Copies the lines once, into the buffer of the array.
arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const std::vector<Line>& lines,
                                                     arrow::MemoryPool* pool) {
  int64_t bytes = 0;
  for (const Line& line : lines) bytes += line.size;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((lines.size() + 1) * sizeof(int32_t), pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer(bytes, pool));
  auto* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  auto* const begin = reinterpret_cast<char*>(values->mutable_data());
  char* at = begin;
  for (const Line& line : lines) {
    *offset++ = static_cast<int32_t>(at - begin);
    if (line.size > 0) std::memcpy(at, line.data, line.size);
    at += line.size;
  }
  *offset = static_cast<int32_t>(at - begin);
  return arrow::MakeArray(arrow::ArrayData::Make(arrow::utf8(), static_cast<int64_t>(lines.size()),
                                                 {nullptr, std::move(offsets), std::move(values)},
                                                 /*null_count=*/0));
}

class TextSplitReader final : public SplitReader {
 public:
  TextSplitReader(const Split& split, std::string separator, std::shared_ptr<arrow::Schema> schema,
                  ReaderContext context)
      : split_(split),
        separator_(std::move(separator)),
        schema_(std::move(schema)),
        context_(std::move(context)),
        lines_source_(split, {.separator = separator_, .max_line_bytes = kMaxLineBytes}, context_) {
  }

  arrow::Result<ReadStep> Next() override {
    ARROW_ASSIGN_OR_RAISE(const LineSource::Kind kind,
                          lines_source_.Next(context_.batch_rows, context_.batch_bytes, &lines_));
    if (kind == LineSource::Kind::kPending) return ReadStep{.kind = ReadStep::Kind::kPending};
    if (kind == LineSource::Kind::kEnd) return ReadStep{};
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!lines_[i].is_too_long) continue;
      const auto error =
          MakeError(ErrorKind::kResource, "RECORD_TOO_LARGE",
                    fmt::format("line is too long: path={} limit={}", split_.path, kMaxLineBytes));
      return WithRow(error, static_cast<int64_t>(i));
    }
    arrow::ArrayVector columns;
    if (schema_->num_fields() > 0) {
      ARROW_ASSIGN_OR_RAISE(auto values, ArrayOf(lines_, context_.pool));
      columns.push_back(std::move(values));
    }
    return ReadStep{.kind = ReadStep::Kind::kBatch,
                    .batch = arrow::RecordBatch::Make(schema_, static_cast<int64_t>(lines_.size()),
                                                      std::move(columns))};
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    return PlaceOfByte(split_, lines_source_.FileOffsetOf(lines_[row].data), separator_,
                       context_.fs);
  }

 private:
  const Split split_;
  const std::string separator_;
  const std::shared_ptr<arrow::Schema> schema_;
  const ReaderContext context_;
  LineSource lines_source_;
  std::vector<Line> lines_;  // reused from batch to batch
};

class TextReader final : public SourceReader {
 public:
  TextReader(std::string separator, std::shared_ptr<arrow::Schema> schema)
      : separator_(std::move(separator)), schema_(std::move(schema)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    return std::make_unique<TextSplitReader>(split, separator_, schema_, std::move(context));
  }

 private:
  const std::string separator_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

arrow::Result<std::unique_ptr<SourceReader>> MakeTextReader(const SourceSpec& spec,
                                                            const std::vector<int>& columns) {
  ARROW_ASSIGN_OR_RAISE(FileSourceOptions options, ParseFileSourceOptions(spec));
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(spec.schema->field(column));
  return std::make_unique<TextReader>(std::move(options.line_separator),
                                      arrow::schema(std::move(fields)));
}

}  // namespace tidemill::connectors
