#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>
#include <vector>

namespace tidemill::connectors {

// The type of the engine for a column of a Parquet or ORC file. A timestamp without zone is
// TIMESTAMP_NTZ in Parquet and TIMESTAMP in ORC, as for Spark. Errors: UNSUPPORTED_DATATYPE naming
// the column.
arrow::Result<std::shared_ptr<arrow::DataType>> EngineTypeOf(const arrow::Field& field,
                                                             std::string_view format);

// Gives batches of a file the columns that the query wants: found by name, whatever its case, NULL
// where the file has none of it, and widened where that loses nothing (smaller to larger integers,
// FLOAT to DOUBLE, decimals to wider ones, fields of structs as columns). *Immutable.*
class ColumnAdapter {
 public:
  // Errors: COLUMN_DATA_TYPE_MISMATCH where a column is of a type that the wanted one does not
  // hold, DUPLICATED_FIELD_NAME where a name fits several columns.
  static arrow::Result<ColumnAdapter> Make(const arrow::Schema& file,
                                           std::shared_ptr<arrow::Schema> wanted,
                                           std::string_view format);

  // The file's column for a wanted one, or -1 where the file has none.
  int FieldOf(int wanted) const { return place_[wanted] < 0 ? -1 : fields_[place_[wanted]]; }
  // Indices of the columns to read, ascending.
  const std::vector<int>& fields() const { return fields_; }
  // `batch` has the columns fields(); null where there are none. Errors: a value that does not fit.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Adapt(
      const std::shared_ptr<arrow::RecordBatch>& batch, int64_t num_rows,
      arrow::MemoryPool* pool) const;

 private:
  std::shared_ptr<arrow::Schema> wanted_;
  std::vector<int> fields_;
  std::vector<int> place_;  // by wanted column: its place among fields_, or -1
};

}  // namespace tidemill::connectors
