#include "connectors/file/json/json_reader.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/json/json_decoder.h"
#include "connectors/file/file_options.h"
#include "connectors/file/json/json_records.h"
#include "connectors/file/line_source.h"

namespace tidemill::connectors {

namespace {

constexpr size_t kShownBytes = 1000;  // of a record in a message

// What the readers of one source share. *Immutable.*
struct JsonPlan {
  std::shared_ptr<arrow::Schema> schema;  // of the batches
  std::vector<std::string> names;         // decoded fields
  std::vector<int> field_of;              // by column: index in names, or -1 for the corrupt column
  JsonOptions options;
  std::string separator;

  JsonSyntax syntax() const {
    return {.allows_single_quotes = options.allows_single_quotes,
            .allows_non_numeric_numbers = options.allows_non_numeric_numbers};
  }
};

class JsonSplitReader final : public SplitReader {
 public:
  JsonSplitReader(const Split& split, std::shared_ptr<const JsonPlan> plan, ReaderContext context)
      : path_(split.path),
        plan_(std::move(plan)),
        context_(std::move(context)),
        line_source_(split, {.separator = plan_->separator, .max_line_bytes = kMaxRecordBytes},
                     context_),
        records_(plan_->names, plan_->syntax()),
        decoder_(context_.zone.get(), plan_->syntax(), context_.pool) {}

  arrow::Result<ReadStep> Next() override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const LineSource::Kind kind,
                            line_source_.Next(context_.batch_rows, context_.batch_bytes, &lines_));
      if (kind == LineSource::Kind::kPending) return ReadStep{.kind = ReadStep::Kind::kPending};
      if (kind == LineSource::Kind::kEnd) return ReadStep{};
      records_.Scan(lines_);
      ARROW_ASSIGN_OR_RAISE(auto batch, MakeBatch());
      // All lines may have been blank, or bad and dropped.
      if (batch->num_rows() > 0) {
        return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = std::move(batch)};
      }
    }
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch() {
    ARROW_ASSIGN_OR_RAISE(auto columns, DecodeColumns());
    const int64_t bad = records_.FirstBad();
    if (bad >= 0 && plan_->options.mode == ParseMode::kFailFast) return Malformed(bad);
    if (bad >= 0 && plan_->options.mode == ParseMode::kDropMalformed) {
      records_.DropBad();
      ARROW_ASSIGN_OR_RAISE(columns, DecodeColumns());
    }
    for (auto& column : columns) {
      if (column != nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(column, CorruptTexts());
    }
    return arrow::RecordBatch::Make(plan_->schema, static_cast<int64_t>(records_.num_rows()),
                                    std::move(columns));
  }

  // Leaves a null pointer in the place of the corrupt column, whose values are known only then.
  arrow::Result<arrow::ArrayVector> DecodeColumns() {
    arrow::ArrayVector columns(plan_->field_of.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      const int field = plan_->field_of[i];
      if (field < 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto data,
                            decoder_.Decode(plan_->schema->field(static_cast<int>(i))->type(),
                                            records_.column(field), records_.bad_rows()));
      columns[i] = arrow::MakeArray(data);
    }
    return columns;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> CorruptTexts() {
    arrow::StringBuilder builder(context_.pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(records_.num_rows())));
    for (size_t row = 0; row < records_.num_rows(); ++row) {
      const Line& line = records_.LineOf(row);
      ARROW_RETURN_NOT_OK((*records_.bad_rows())[row] != 0
                              ? builder.Append(line.data, static_cast<int32_t>(line.size))
                              : builder.AppendNull());
    }
    return builder.Finish();
  }

  arrow::Status Malformed(int64_t row) const {
    const Line& line = records_.LineOf(row);
    const bool is_cut = line.size > kShownBytes;
    return MakeError(
        ErrorKind::kJobFailed, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
        fmt::format("Malformed records are detected in record parsing: {}{}. Parse Mode: FAILFAST. "
                    "To process malformed records as null result, try setting the option 'mode' as "
                    "'PERMISSIVE'. file={}",
                    std::string_view(line.data, std::min<size_t>(line.size, kShownBytes)),
                    is_cut ? "..." : "", path_));
  }

  const std::string path_;
  const std::shared_ptr<const JsonPlan> plan_;
  const ReaderContext context_;
  LineSource line_source_;
  std::vector<Line> lines_;
  JsonRecords records_;
  JsonDecoder decoder_;
};

class JsonReader final : public SourceReader {
 public:
  explicit JsonReader(std::shared_ptr<const JsonPlan> plan) : plan_(std::move(plan)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    if (context.zone == nullptr) {
      ARROW_ASSIGN_OR_RAISE(context.zone, FindTimeZone("UTC"));
    }
    return std::make_unique<JsonSplitReader>(split, plan_, std::move(context));
  }

 private:
  const std::shared_ptr<const JsonPlan> plan_;
};

}  // namespace

arrow::Result<std::unique_ptr<SourceReader>> MakeJsonReader(const SourceSpec& spec,
                                                            const std::vector<int>& columns) {
  auto plan = std::make_shared<JsonPlan>();
  ARROW_ASSIGN_OR_RAISE(plan->options, ParseJsonOptions(spec));
  ARROW_ASSIGN_OR_RAISE(FileSourceOptions options, ParseFileSourceOptions(spec));
  plan->separator = std::move(options.line_separator);
  arrow::FieldVector fields;
  for (const int column : columns) {
    const auto& field = spec.schema->field(column);
    fields.push_back(field);
    if (field->name() == plan->options.corrupt_column) {
      plan->field_of.push_back(-1);
    } else {
      plan->field_of.push_back(static_cast<int>(plan->names.size()));
      plan->names.push_back(field->name());
    }
  }
  plan->schema = arrow::schema(std::move(fields));
  return std::make_unique<JsonReader>(std::move(plan));
}

}  // namespace tidemill::connectors
