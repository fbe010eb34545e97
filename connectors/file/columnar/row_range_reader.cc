#include "connectors/file/columnar/row_range_reader.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/level_conversion.h>
#include <parquet/schema.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tidemill::connectors {

namespace {

// The data pages of a column chunk that hold some rows.
struct PageRange {
  size_t begin = 0;
  size_t end = 0;
  int64_t first_row = 0;  // of page `begin`
};

// Reads the headers alone.
PageRange FindPages(parquet::PageReader* pages, RowRange rows) {
  PageRange found;
  size_t page = 0;
  int64_t row = 0;
  pages->set_data_page_filter([&](const parquet::DataPageStats& stats) {
    const int64_t end = row + stats.num_values;
    if (end <= rows.begin) {
      found.begin = page + 1;
      found.first_row = end;
    }
    if (row < rows.end) found.end = page + 1;
    ++page;
    row = end;
    return true;
  });
  while (pages->NextPage() != nullptr) continue;  // Only the dictionary is given.
  return found;
}

class Column {
 public:
  Column(RangeColumn column, parquet::RowGroupReader* group, RowRange rows, arrow::MemoryPool* pool)
      : field_(std::move(column.field)), pool_(pool) {
    const auto* descriptor = group->metadata()->schema()->Column(column.leaf);
    const PageRange wanted = FindPages(group->GetColumnPageReader(column.leaf).get(), rows);
    auto pages = group->GetColumnPageReader(column.leaf);
    pages->set_data_page_filter([wanted, page = size_t{0}](const parquet::DataPageStats&) mutable {
      const bool is_wanted = page >= wanted.begin && page < wanted.end;
      ++page;
      return !is_wanted;
    });
    const parquet::internal::LevelInfo levels(descriptor->max_definition_level(), 0, 0);
    is_nullable_ = levels.HasNullableValues();
    reader_ = parquet::internal::RecordReader::Make(descriptor, levels, pool, false, false,
                                                    field_->type());
    reader_->SetPageReader(std::move(pages));
    skip_ = rows.begin - wanted.first_row;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Read(int64_t rows) {
    if (skip_ > 0 && reader_->SkipRecords(skip_) != skip_) return Lacks();
    skip_ = 0;
    reader_->Reset();
    reader_->Reserve(rows);
    for (int64_t missing = rows; missing > 0;) {
      const int64_t got = reader_->ReadRecords(missing);
      if (got == 0) return Lacks();
      missing -= got;
    }
    auto* binary = dynamic_cast<parquet::internal::BinaryRecordReader*>(reader_.get());
    if (binary != nullptr) return Bytes(binary->GetBuilderChunks());
    std::shared_ptr<arrow::Buffer> valid = is_nullable_ ? reader_->ReleaseIsValid() : nullptr;
    const int64_t nulls = is_nullable_ ? reader_->null_count() : 0;
    const int64_t length = reader_->values_written();
    return arrow::MakeArray(arrow::ArrayData::Make(
        field_->type(), length, {std::move(valid), reader_->ReleaseValues()}, nulls));
  }

  const std::shared_ptr<arrow::Field>& field() const { return field_; }

 private:
  arrow::Status Lacks() const {
    return arrow::Status::IOError(fmt::format("column {} lacks rows", field_->name()));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Bytes(const arrow::ArrayVector& chunks) const {
    std::shared_ptr<arrow::Array> all = chunks[0];
    if (chunks.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(all, arrow::Concatenate(chunks, pool_));
    }
    if (all->type()->Equals(*field_->type())) return all;
    auto data = all->data()->Copy();
    data->type = field_->type();
    return arrow::MakeArray(std::move(data));
  }

  const std::shared_ptr<arrow::Field> field_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<parquet::internal::RecordReader> reader_;
  bool is_nullable_ = false;
  int64_t skip_ = 0;  // of the first page, before the first Read
};

class RowRangeReader final : public arrow::RecordBatchReader {
 public:
  RowRangeReader(std::shared_ptr<parquet::RowGroupReader> group, std::vector<RangeColumn> columns,
                 RowRange rows, int64_t batch_rows, arrow::MemoryPool* pool)
      : group_(std::move(group)), batch_rows_(batch_rows), left_(rows.end - rows.begin) {
    arrow::FieldVector fields;
    for (RangeColumn& column : columns) {
      fields.push_back(column.field);
      columns_.emplace_back(std::move(column), group_.get(), rows, pool);
    }
    schema_ = arrow::schema(std::move(fields));
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    const int64_t rows = std::min(left_, batch_rows_);
    if (rows == 0) return arrow::Status::OK();
    arrow::ArrayVector arrays;
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    for (Column& column : columns_) {
      ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), column.Read(rows));
    }
    END_PARQUET_CATCH_EXCEPTIONS
    left_ -= rows;
    *batch = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<parquet::RowGroupReader> group_;
  const int64_t batch_rows_;
  int64_t left_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;
};

}  // namespace

bool CanReadFromAnyRow(const parquet::ColumnDescriptor& column, const arrow::DataType& type) {
  if (column.max_repetition_level() > 0 || column.max_definition_level() > 1) return false;
  switch (type.id()) {
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return column.physical_type() == parquet::Type::INT32;
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
      return column.physical_type() == parquet::Type::INT64;
    case arrow::Type::FLOAT:
      return column.physical_type() == parquet::Type::FLOAT;
    case arrow::Type::DOUBLE:
      return column.physical_type() == parquet::Type::DOUBLE;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return column.physical_type() == parquet::Type::BYTE_ARRAY;
    default:
      return false;
  }
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRowRange(
    parquet::ParquetFileReader* file, int row_group, std::vector<RangeColumn> columns,
    RowRange rows, int64_t batch_rows, arrow::MemoryPool* pool) {
  return std::make_shared<RowRangeReader>(file->RowGroup(row_group), std::move(columns), rows,
                                          batch_rows, pool);
}

}  // namespace tidemill::connectors
