#include <arrow/adapters/orc/adapter.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <optional>
#include <utility>

#include "connectors/file/columnar/columnar_file.h"
#include "connectors/file/columnar/orc_statistics.h"

namespace tidemill::connectors {

namespace {

namespace orc = arrow::adapters::orc;

class OrcFile final : public ColumnarFile {
 public:
  OrcFile(std::shared_ptr<RangeFile> file, std::unique_ptr<orc::ORCFileReader> reader,
          std::shared_ptr<arrow::Schema> schema)
      : file_(std::move(file)), reader_(std::move(reader)), schema_(std::move(schema)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int num_units() const override { return static_cast<int>(reader_->NumberOfStripes()); }

  arrow::Result<FileUnit> Unit(int index) const override {
    const orc::StripeInformation stripe = reader_->GetStripeInformation(index);
    return FileUnit{.offset = stripe.offset, .size = stripe.length, .rows = stripe.num_rows};
  }

  // The reader does not tell where the columns of a stripe are.
  arrow::Result<std::vector<ByteRange>> RangesOf(int unit,
                                                 const std::vector<int>& fields) const override {
    ARROW_ASSIGN_OR_RAISE(const FileUnit stripe, Unit(unit));
    return std::vector<ByteRange>{{.offset = stripe.offset, .size = stripe.size}};
  }

  ColumnBounds BoundsOf(int unit, int field) const override {
    if (!statistics_) statistics_ = OrcStatistics::Read(file_.get(), *schema_);
    return statistics_->BoundsOf(unit, field);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int unit,
                                                                const std::vector<int>& fields,
                                                                RowRange /*all*/,
                                                                int64_t batch_rows) override {
    ARROW_RETURN_NOT_OK(reader_->Seek(reader_->GetStripeInformation(unit).first_row_id));
    return reader_->NextStripeReader(batch_rows, fields);
  }

 private:
  const std::shared_ptr<RangeFile> file_;
  const std::unique_ptr<orc::ORCFileReader> reader_;
  const std::shared_ptr<arrow::Schema> schema_;
  mutable std::optional<OrcStatistics> statistics_;  // once somebody asked for bounds
};

}  // namespace

arrow::Result<std::unique_ptr<ColumnarFile>> OpenOrcFile(std::shared_ptr<RangeFile> file,
                                                         arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto reader, orc::ORCFileReader::Open(file, pool));
  ARROW_ASSIGN_OR_RAISE(auto schema, reader->ReadSchema());
  return std::make_unique<OrcFile>(std::move(file), std::move(reader), std::move(schema));
}

}  // namespace tidemill::connectors
