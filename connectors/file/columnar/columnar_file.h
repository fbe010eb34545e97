#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "connectors/column_filter.h"
#include "connectors/file/columnar/range_file.h"

namespace tidemill::connectors {

// A part of a file that is decoded on its own: a row group of Parquet, a stripe of ORC.
struct FileUnit {
  int64_t offset = 0;
  int64_t size = 0;  // bytes
  int64_t rows = 0;
};

// Rows of a unit, [begin, end).
struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// An open file of columns. Opening it and whatever is not loaded blocks; damage is found by both.
// *Thread-compatible.*
class ColumnarFile {
 public:
  virtual ~ColumnarFile() = default;

  // Columns with Arrow's types for them; see ColumnAdapter.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  virtual int num_units() const = 0;
  virtual arrow::Result<FileUnit> Unit(int index) const = 0;
  // The bytes that decoding `fields` (indices into the schema, ascending, at least one) needs.
  virtual arrow::Result<std::vector<ByteRange>> RangesOf(int unit,
                                                         const std::vector<int>& fields) const = 0;
  // What the file says about the values of a field that is not nested; nothing where it is silent.
  virtual ColumnBounds BoundsOf(int unit, int field) const { return {}; }
  // Whether Read takes any rows of a unit, not only all of them.
  virtual bool CanDivide(const std::vector<int>& fields) const { return fields.empty(); }
  // Decodes these fields batch by batch. The file must outlive the reader.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      int unit, const std::vector<int>& fields, RowRange rows, int64_t batch_rows) = 0;
};

// Errors are Arrow's own, without our class.
arrow::Result<std::unique_ptr<ColumnarFile>> OpenParquetFile(std::shared_ptr<RangeFile> file,
                                                             arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<ColumnarFile>> OpenOrcFile(std::shared_ptr<RangeFile> file,
                                                         arrow::MemoryPool* pool);

}  // namespace tidemill::connectors
