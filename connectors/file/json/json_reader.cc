#include "connectors/file/json/json_reader.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/json/json_decoder.h"
#include "connectors/file/file_options.h"
#include "connectors/file/json/json_records.h"
#include "connectors/file/line_place.h"
#include "connectors/file/line_source.h"
#include "connectors/file/record_batches.h"

namespace tidemill::connectors {

namespace {

// What the readers of one source share. *Immutable.*
struct JsonPlan {
  RecordColumns batches;
  std::vector<std::string> names;  // decoded fields
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
      : split_(split),
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

  PlaceFinder PlaceOf(int64_t row) const override {
    return PlaceOfByte(split_, line_source_.FileOffsetOf(records_.text(row).data()),
                       plan_->separator, context_.fs);
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch() {
    return MakeRecordBatch(plan_->batches, split_.path, context_.pool, &records_,
                           [this](const std::shared_ptr<arrow::DataType>& type, int field) {
                             return decoder_.Decode(type, records_.column(field),
                                                    records_.bad_rows());
                           });
  }

  const Split split_;
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
  plan->batches.mode = plan->options.mode;
  ARROW_ASSIGN_OR_RAISE(FileSourceOptions options, ParseFileSourceOptions(spec));
  plan->separator = std::move(options.line_separator);
  arrow::FieldVector fields;
  for (const int column : columns) {
    const auto& field = spec.schema->field(column);
    fields.push_back(field);
    if (field->name() == plan->options.corrupt_column) {
      plan->batches.field_of.push_back(-1);
    } else {
      plan->batches.field_of.push_back(static_cast<int>(plan->names.size()));
      plan->names.push_back(field->name());
    }
  }
  plan->batches.schema = arrow::schema(std::move(fields));
  return std::make_unique<JsonReader>(std::move(plan));
}

}  // namespace tidemill::connectors
