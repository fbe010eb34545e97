#include "connectors/file/csv/csv_encoder.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>
#include <utility>

#include "common/csv/csv_writer.h"
#include "connectors/file/column_types.h"

namespace tidemill::connectors {

namespace {

class CsvEncoder final : public FileEncoder {
 public:
  CsvEncoder(CsvWriteOptions options, const SinkSpec& spec, std::shared_ptr<const TimeZone> zone)
      : schema_(spec.schema), writer_(std::move(options), std::move(zone)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    AppendHeader(out);
    const arrow::ArrayVector columns = batch->columns();
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const size_t begin = out->size();
      writer_.AppendRow(columns, row, out);
      if (out->size() > begin) out->append(writer_.options().line_end);
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish(std::string* out) override {
    AppendHeader(out);
    return arrow::Status::OK();
  }

 private:
  void AppendHeader(std::string* out) {
    if (!writer_.options().has_header || std::exchange(has_begun_, true)) return;
    writer_.AppendNames(*schema_, out);
    out->append(writer_.options().line_end);
  }

  const std::shared_ptr<arrow::Schema> schema_;
  CsvWriter writer_;
  bool has_begun_ = false;
};

}  // namespace

arrow::Result<std::unique_ptr<FileEncoder>> MakeCsvEncoder(const SinkSpec& spec,
                                                           std::shared_ptr<const TimeZone> zone) {
  ARROW_ASSIGN_OR_RAISE(CsvWriteOptions options, ParseCsvWriteOptions(spec.options));
  return std::make_unique<CsvEncoder>(std::move(options), spec, std::move(zone));
}

arrow::Status CheckCsv(const SinkSpec& spec) {
  ARROW_RETURN_NOT_OK(ParseCsvWriteOptions(spec.options).status());
  if (spec.schema == nullptr) return arrow::Status::OK();
  for (const auto& field : spec.schema->fields()) {
    if (!IsScalarType(*field->type())) return UnsupportedColumn("CSV", *field);
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::connectors
