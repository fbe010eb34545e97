#include "connectors/file/csv/csv_reader.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/csv/csv_decoder.h"
#include "common/csv/csv_records.h"
#include "connectors/file/csv/csv_file_options.h"
#include "connectors/file/csv/csv_text.h"
#include "connectors/file/line_place.h"
#include "connectors/file/record_batches.h"

namespace tidemill::connectors {

namespace {

// What the readers of one source share. *Immutable.*
struct CsvPlan {
  RecordColumns batches;
  CsvColumns columns;
  std::vector<std::string> names;  // of all columns of a record
  CsvFileOptions options;
  std::string separator;
};

// With enforceSchema=false the header must name what the query reads.
arrow::Status CheckHeader(const CsvPlan& plan, std::string_view header, const std::string& path) {
  if (plan.options.enforces_schema || header.empty()) return arrow::Status::OK();
  std::vector<int> all(plan.columns.num_columns);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  CsvTokenizer tokenizer(&plan.options.format, all, /*needs_count=*/true,
                         plan.options.is_multi_line);
  std::vector<std::string_view> names(all.size());
  const char* at = header.data();
  const int count = tokenizer.Take(&at, header.data() + header.size(), names.data());
  bool is_same = !plan.columns.needs_count || count == plan.columns.num_columns;
  const std::vector<int>& checked = plan.columns.needs_count ? all : plan.columns.wanted;
  for (const int i : checked) is_same &= EqualsIgnoringCase(names[i], plan.names[i]);
  if (is_same) return arrow::Status::OK();
  return WithHint(MakeError(ErrorKind::kJobFailed, "CSV_HEADER_MISMATCH",
                            fmt::format("CSV header does not conform to the schema: header={} "
                                        "schema={} file={}",
                                        header, fmt::join(plan.names, ","), path)),
                  "enforceSchema=true reads columns by their position and ignores the header");
}

// A record that a limit forbids ends the job in every mode, as in Spark.
arrow::Status TooLarge(std::string_view text, const std::string& path) {
  constexpr size_t kShownBytes = 100;
  return MakeError(ErrorKind::kJobFailed, "MALFORMED_CSV_RECORD",
                   fmt::format("csv record exceeds maxColumns or maxCharsPerColumn: file={} "
                               "record={}",
                               path, text.substr(0, kShownBytes)));
}

// Makes batches of records. *Thread-compatible.*
class CsvBatches {
 public:
  CsvBatches(std::string path, std::shared_ptr<const CsvPlan> plan, const ReaderContext& context)
      : path_(std::move(path)),
        plan_(std::move(plan)),
        pool_(context.pool),
        records_(&plan_->options.format, plan_->columns, plan_->options.is_multi_line),
        decoder_(&plan_->options, context.zone.get(), context.pool) {}

  CsvRecords* records() { return &records_; }
  const CsvRecords& records() const { return records_; }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch() {
    return MakeRecordBatch(plan_->batches, path_, pool_, &records_,
                           [this](const std::shared_ptr<arrow::DataType>& type, int wanted) {
                             return decoder_.Decode(type, records_.column(wanted),
                                                    records_.bad_rows());
                           });
  }

 private:
  const std::string path_;
  const std::shared_ptr<const CsvPlan> plan_;
  arrow::MemoryPool* const pool_;
  CsvRecords records_;
  CsvDecoder decoder_;
};

class CsvLineReader final : public SplitReader {
 public:
  CsvLineReader(const Split& split, std::shared_ptr<const CsvPlan> plan, ReaderContext context)
      : split_(split),
        plan_(std::move(plan)),
        context_(std::move(context)),
        source_(split, &plan_->options, plan_->separator, context_),
        batches_(split.path, plan_, context_) {}

  arrow::Result<ReadStep> Next() override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const LineSource::Kind kind, source_.Next(context_, &lines_));
      if (kind == LineSource::Kind::kPending) return ReadStep{.kind = ReadStep::Kind::kPending};
      if (!is_header_checked_ && !source_.header().empty()) {
        is_header_checked_ = true;
        ARROW_RETURN_NOT_OK(CheckHeader(*plan_, source_.header(), split_.path));
      }
      if (kind == LineSource::Kind::kEnd) return ReadStep{};
      ARROW_ASSIGN_OR_RAISE(auto batch, BatchOfLines());
      if (batch->num_rows() > 0) {
        return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = std::move(batch)};
      }
    }
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    const char* const at = has_records_ ? batches_.records().text(row).data() : lines_[row].data;
    return PlaceOfByte(split_, source_.FileOffsetOf(at), plan_->separator, context_.fs);
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOfLines() {
    has_records_ = false;
    // Nothing of the records is needed but their number.
    if (plan_->batches.field_of.empty() && !plan_->columns.needs_count) {
      return arrow::RecordBatch::Make(plan_->batches.schema, static_cast<int64_t>(lines_.size()),
                                      arrow::ArrayVector());
    }
    CsvRecords* const records = batches_.records();
    records->Clear();
    for (size_t i = 0; i < lines_.size(); ++i) {
      const Line& line = lines_[i];
      const char* at = line.data;
      if (line.is_too_long) {
        records->AddBad({line.data, line.size});
      } else if (!records->Add(&at, line.data + line.size)) {
        return WithRow(TooLarge({line.data, line.size}, split_.path), static_cast<int64_t>(i));
      }
    }
    has_records_ = true;
    return batches_.MakeBatch();
  }

  const Split split_;
  const std::shared_ptr<const CsvPlan> plan_;
  const ReaderContext context_;
  CsvLines source_;
  CsvBatches batches_;
  std::vector<Line> lines_;
  bool has_records_ = false;  // the rows of the batch are those, else the lines
  bool is_header_checked_ = false;
};

class CsvMultiLineReader final : public SplitReader {
 public:
  CsvMultiLineReader(const Split& split, std::shared_ptr<const CsvPlan> plan, ReaderContext context)
      : path_(split.path),
        plan_(std::move(plan)),
        context_(std::move(context)),
        whole_(split, context_),
        batches_(path_, plan_, context_) {}

  arrow::Result<ReadStep> Next() override {
    ARROW_ASSIGN_OR_RAISE(const bool is_read, whole_.Read());
    if (!is_read) return ReadStep{.kind = ReadStep::Kind::kPending};
    if (at_ == nullptr) ARROW_RETURN_NOT_OK(Begin());
    while (at_ != end_) {
      ARROW_RETURN_NOT_OK(TakeRecords());
      ARROW_ASSIGN_OR_RAISE(auto batch, batches_.MakeBatch());
      if (batch->num_rows() > 0) {
        return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = std::move(batch)};
      }
    }
    return ReadStep{};
  }

  // All of the file is at hand, so its lines are counted at once.
  PlaceFinder PlaceOf(int64_t row) const override {
    const CsvRecords& records = batches_.records();
    const bool is_whole = row < static_cast<int64_t>(records.size());
    const char* at = is_whole ? records.text(row).data() : at_;
    while (at != end_ && *at == '\n') ++at;  // blank lines in front of the record
    const auto line = 1 + std::count(whole_.text().data(), at, '\n');
    return [place = fmt::format("{}:{}", path_, line)] { return place; };
  }

 private:
  arrow::Status Begin() {
    at_ = whole_.text().data();
    end_ = at_ + whole_.text().size();
    if (!plan_->options.has_header) return arrow::Status::OK();
    CsvRecords header(&plan_->options.format, plan_->columns, /*has_breaks=*/true);
    while (at_ != end_ && header.size() == 0) {
      if (!SkipComment() && !header.Add(&at_, end_)) return TooLargeAt();
    }
    return header.size() == 0 ? arrow::Status::OK() : CheckHeader(*plan_, header.text(0), path_);
  }

  bool SkipComment() {
    if (plan_->options.format.comment == '\0' || *at_ != plan_->options.format.comment)
      return false;
    at_ = std::find(at_, end_, '\n');
    if (at_ != end_) ++at_;
    return true;
  }

  arrow::Status TakeRecords() {
    CsvRecords* const records = batches_.records();
    records->Clear();
    const char* const begin = at_;
    while (at_ != end_ && static_cast<int64_t>(records->size()) < context_.batch_rows &&
           at_ - begin < context_.batch_bytes) {
      if (!SkipComment() && !records->Add(&at_, end_)) return TooLargeAt();
    }
    return arrow::Status::OK();
  }

  // The record is the one behind those of the batch.
  arrow::Status TooLargeAt() const {
    return WithRow(TooLarge({at_, static_cast<size_t>(end_ - at_)}, path_),
                   static_cast<int64_t>(batches_.records().size()));
  }

  const std::string path_;
  const std::shared_ptr<const CsvPlan> plan_;
  const ReaderContext context_;
  CsvWholeText whole_;
  CsvBatches batches_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

class CsvReader final : public SourceReader {
 public:
  explicit CsvReader(std::shared_ptr<const CsvPlan> plan) : plan_(std::move(plan)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    if (context.zone == nullptr) {
      ARROW_ASSIGN_OR_RAISE(context.zone, FindTimeZone("UTC"));
    }
    if (plan_->options.is_multi_line) {
      return std::make_unique<CsvMultiLineReader>(split, plan_, std::move(context));
    }
    return std::make_unique<CsvLineReader>(split, plan_, std::move(context));
  }

 private:
  const std::shared_ptr<const CsvPlan> plan_;
};

}  // namespace

arrow::Result<std::unique_ptr<SourceReader>> MakeCsvReader(const SourceSpec& spec,
                                                           const std::vector<int>& columns) {
  auto plan = std::make_shared<CsvPlan>();
  ARROW_ASSIGN_OR_RAISE(plan->options, ParseCsvFileOptions(spec.options));
  ARROW_ASSIGN_OR_RAISE(FileSourceOptions options, ParseFileSourceOptions(spec));
  plan->separator = std::move(options.line_separator);
  plan->batches.mode = plan->options.mode;
  // The column for corrupt records is none of the file.
  std::vector<int> token_of;
  for (const auto& field : spec.schema->fields()) {
    const bool is_corrupt = field->name() == plan->options.corrupt_column;
    token_of.push_back(is_corrupt ? -1 : plan->columns.num_columns++);
    if (!is_corrupt) plan->names.push_back(field->name());
  }
  arrow::FieldVector fields;
  for (const int column : columns) {
    fields.push_back(spec.schema->field(column));
    const int token = token_of[column];
    plan->batches.field_of.push_back(token < 0 ? -1
                                               : static_cast<int>(plan->columns.wanted.size()));
    if (token >= 0) plan->columns.wanted.push_back(token);
  }
  plan->columns.needs_count =
      plan->options.is_multi_line ||
      static_cast<int>(plan->columns.wanted.size()) == plan->columns.num_columns;
  plan->batches.schema = arrow::schema(std::move(fields));
  return std::make_unique<CsvReader>(std::move(plan));
}

}  // namespace tidemill::connectors
