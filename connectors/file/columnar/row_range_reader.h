#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "connectors/file/columnar/columnar_file.h"

namespace parquet {
class ColumnDescriptor;
class ParquetFileReader;
}  // namespace parquet

namespace tidemill::connectors {

// A column of Parquet as ReadRowRange takes it.
struct RangeColumn {
  int leaf = 0;
  std::shared_ptr<arrow::Field> field;
};

// Whether a column, which is not nested, can be read from any row on: its values in the file are
// those that Arrow's type for it holds.
bool CanReadFromAnyRow(const parquet::ColumnDescriptor& column, const arrow::DataType& type);

// Decodes rows of a row group batch by batch; pages without any of them are not unpacked. Throws
// parquet::ParquetException, too, when it is made and when it reads. `file` must outlive it.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRowRange(
    parquet::ParquetFileReader* file, int row_group, std::vector<RangeColumn> columns,
    RowRange rows, int64_t batch_rows, arrow::MemoryPool* pool);

}  // namespace tidemill::connectors
