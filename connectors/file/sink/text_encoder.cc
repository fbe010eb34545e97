#include "connectors/file/sink/text_encoder.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/error.h"
#include "connectors/file/file_options.h"

namespace tidemill::connectors {

namespace {

class TextEncoder final : public FileEncoder {
 public:
  explicit TextEncoder(std::string line_end) : line_end_(std::move(line_end)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    const auto& values = static_cast<const arrow::StringArray&>(*batch->column(0));
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsValid(row)) out->append(values.GetView(row));
      out->append(line_end_);
    }
    return arrow::Status::OK();
  }
  arrow::Status Finish(std::string* out) override { return arrow::Status::OK(); }

 private:
  const std::string line_end_;
};

class JsonEncoder final : public FileEncoder {
 public:
  JsonEncoder(const SinkSpec& spec, std::shared_ptr<const TimeZone> zone)
      : line_end_(spec.options.GetString("lineSep", "\n")), writer_(spec.schema, std::move(zone)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      writer_.AppendRow(*batch, row, out);
      out->append(line_end_);
    }
    return arrow::Status::OK();
  }
  arrow::Status Finish(std::string* out) override { return arrow::Status::OK(); }

 private:
  const std::string line_end_;
  const JsonRowWriter writer_;
};

}  // namespace

arrow::Result<std::unique_ptr<FileEncoder>> MakeTextEncoder(const SinkSpec& spec,
                                                            std::shared_ptr<const TimeZone> zone) {
  return std::make_unique<TextEncoder>(spec.options.GetString("lineSep", "\n"));
}

arrow::Status CheckText(const SinkSpec& spec) {
  return spec.schema == nullptr ? arrow::Status::OK() : CheckTextSchema(*spec.schema);
}

arrow::Result<std::unique_ptr<FileEncoder>> MakeJsonEncoder(const SinkSpec& spec,
                                                            std::shared_ptr<const TimeZone> zone) {
  return std::make_unique<JsonEncoder>(spec, std::move(zone));
}

arrow::Status CheckJson(const SinkSpec& spec) { return arrow::Status::OK(); }

}  // namespace tidemill::connectors
