#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>

#include "state/table/state_column.h"

namespace tidemill::state {

// Rows of a column of one table.
struct ColumnRows {
  const StateColumn* column = nullptr;
  std::span<const uint32_t> rows;
};

// The values of all pieces, in order, as an Arrow array. There is one piece at least; their columns
// have the same type.
arrow::Result<std::shared_ptr<arrow::Array>> GatherColumn(std::span<const ColumnRows> pieces,
                                                          arrow::MemoryPool* pool);

}  // namespace tidemill::state
