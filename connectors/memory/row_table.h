#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Rows that are all there, as a table that is read once, to its end. *Immutable.*
struct RowTable {
  // All batches are of `schema`.
  static std::shared_ptr<const RowTable> Make(
      std::shared_ptr<arrow::Schema> schema,
      std::vector<std::shared_ptr<arrow::RecordBatch>> batches);

  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t num_rows = 0;
};

// The two halves of a source over a table of so many rows; splits are ranges of rows. `name` is for
// the places of rows; without one they have none.
std::unique_ptr<SourceDriver> MakeRowTableDriver(std::string description, int64_t num_rows);
std::unique_ptr<SourceReader> MakeRowTableReader(std::string name,
                                                 std::shared_ptr<const RowTable> table,
                                                 std::vector<int> columns);

}  // namespace tidemill::connectors
