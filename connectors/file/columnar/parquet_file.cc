#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "common/types/ddl.h"
#include "connectors/file/columnar/columnar_file.h"
#include "connectors/file/columnar/row_range_reader.h"

namespace tidemill::connectors {

namespace {

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) CollectLeaves(child, leaves);
}

// INT96 is an instant, which Arrow's type for it does not say.
std::shared_ptr<arrow::Field> FieldOf(const parquet::arrow::SchemaField& field,
                                      const parquet::SchemaDescriptor& schema) {
  if (field.is_leaf()) {
    const bool is_int96 =
        schema.Column(field.column_index)->physical_type() == parquet::Type::INT96;
    return is_int96 ? field.field->WithType(TimestampType()) : field.field;
  }
  if (field.field->type()->id() != arrow::Type::STRUCT) return field.field;
  arrow::FieldVector children;
  for (const auto& child : field.children) children.push_back(FieldOf(child, schema));
  return field.field->WithType(arrow::struct_(std::move(children)));
}

template <class ParquetType>
ColumnBounds NumberBounds(const parquet::Statistics& statistics) {
  const auto& typed = static_cast<const parquet::TypedStatistics<ParquetType>&>(statistics);
  return {.least = int64_t{typed.min()}, .greatest = int64_t{typed.max()}};
}

ColumnBounds BytesBounds(const parquet::Statistics& statistics) {
  const auto& typed =
      static_cast<const parquet::TypedStatistics<parquet::ByteArrayType>&>(statistics);
  const auto text_of = [](const parquet::ByteArray& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
  };
  return {.least = text_of(typed.min()), .greatest = text_of(typed.max())};
}

// Whether the numbers of a column are those that filters hold: signed, micros, days.
bool HasPlainBounds(const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return IsFilterable(type);
  return static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO;
}

class ParquetFile final : public ColumnarFile {
 public:
  ParquetFile(std::unique_ptr<parquet::arrow::FileReader> reader, arrow::MemoryPool* pool)
      : reader_(std::move(reader)), pool_(pool), metadata_(reader_->parquet_reader()->metadata()) {
    arrow::FieldVector fields;
    for (const auto& field : reader_->manifest().schema_fields) {
      fields.push_back(FieldOf(field, *metadata_->schema()));
      CollectLeaves(field, &leaves_.emplace_back());
    }
    schema_ = arrow::schema(std::move(fields));
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int num_units() const override { return metadata_->num_row_groups(); }

  arrow::Result<FileUnit> Unit(int index) const override {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return UnitOf(index);
    END_PARQUET_CATCH_EXCEPTIONS
  }

  arrow::Result<std::vector<ByteRange>> RangesOf(int unit,
                                                 const std::vector<int>& fields) const override {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    const auto group = metadata_->RowGroup(unit);
    std::vector<ByteRange> ranges;
    for (const int field : fields) {
      for (const int leaf : leaves_[field]) ranges.push_back(RangeOf(*group->ColumnChunk(leaf)));
    }
    return ranges;
    END_PARQUET_CATCH_EXCEPTIONS
  }

  ColumnBounds BoundsOf(int unit, int field) const override {
    if (leaves_[field].size() != 1 || !HasPlainBounds(*schema_->field(field)->type())) return {};
    try {
      const auto chunk = metadata_->RowGroup(unit)->ColumnChunk(leaves_[field][0]);
      const auto statistics = chunk->is_stats_set() ? chunk->statistics() : nullptr;
      if (statistics == nullptr || !statistics->HasMinMax()) return {};
      switch (statistics->physical_type()) {
        case parquet::Type::INT32:
          return NumberBounds<parquet::Int32Type>(*statistics);
        case parquet::Type::INT64:
          return NumberBounds<parquet::Int64Type>(*statistics);
        case parquet::Type::BYTE_ARRAY:
          return BytesBounds(*statistics);
        default:
          return {};
      }
    } catch (const parquet::ParquetException&) {
      return {};  // Bounds that cannot be read bound nothing.
    }
  }

  bool CanDivide(const std::vector<int>& fields) const override {
    return std::all_of(fields.begin(), fields.end(), [this](int field) {
      return leaves_[field].size() == 1 &&
             CanReadFromAnyRow(*metadata_->schema()->Column(leaves_[field][0]),
                               *schema_->field(field)->type());
    });
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int unit,
                                                                const std::vector<int>& fields,
                                                                RowRange rows,
                                                                int64_t batch_rows) override {
    if (rows.begin > 0 || rows.end < metadata_->RowGroup(unit)->num_rows()) {
      std::vector<RangeColumn> columns;
      for (const int field : fields) columns.push_back({leaves_[field][0], schema_->field(field)});
      BEGIN_PARQUET_CATCH_EXCEPTIONS
      return ReadRowRange(reader_->parquet_reader(), unit, std::move(columns), rows, batch_rows,
                          pool_);
      END_PARQUET_CATCH_EXCEPTIONS
    }
    std::vector<int> leaves;
    for (const int field : fields) {
      leaves.insert(leaves.end(), leaves_[field].begin(), leaves_[field].end());
    }
    reader_->set_batch_size(batch_rows);
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader({unit}, leaves));
    return std::shared_ptr<arrow::RecordBatchReader>(std::move(batches));
    END_PARQUET_CATCH_EXCEPTIONS
  }

 private:
  static ByteRange RangeOf(const parquet::ColumnChunkMetaData& chunk) {
    int64_t offset = chunk.data_page_offset();
    if (chunk.has_dictionary_page() && chunk.dictionary_page_offset() > 0) {
      offset = std::min(offset, chunk.dictionary_page_offset());
    }
    return {.offset = offset, .size = chunk.total_compressed_size()};
  }

  FileUnit UnitOf(int index) const {
    const auto group = metadata_->RowGroup(index);
    FileUnit unit{.offset = std::numeric_limits<int64_t>::max(), .rows = group->num_rows()};
    for (int column = 0; column < group->num_columns(); ++column) {
      const ByteRange range = RangeOf(*group->ColumnChunk(column));
      unit.offset = std::min(unit.offset, range.offset);
      unit.size += range.size;
    }
    return unit;
  }

  const std::unique_ptr<parquet::arrow::FileReader> reader_;
  arrow::MemoryPool* const pool_;
  const std::shared_ptr<parquet::FileMetaData> metadata_;
  std::vector<std::vector<int>> leaves_;  // of each field
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

arrow::Result<std::unique_ptr<ColumnarFile>> OpenParquetFile(std::shared_ptr<RangeFile> file,
                                                             arrow::MemoryPool* pool) {
  parquet::ReaderProperties properties(pool);
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  arrow_properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file), properties));
  std::unique_ptr<parquet::arrow::FileReader> reader;
  ARROW_RETURN_NOT_OK(builder.memory_pool(pool)->properties(arrow_properties)->Build(&reader));
  return std::make_unique<ParquetFile>(std::move(reader), pool);
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace tidemill::connectors
