#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <string_view>

#include "state/table/pod_vector.h"
#include "state/table/state_column.h"

namespace tidemill::worker {

// The rows of an array, to be stored in and compared with cells of a state column of the same type,
// whatever the type is. Borrows the array. *Thread-compatible.*
class ValueCells {
 public:
  explicit ValueCells(const arrow::Array& array);

  bool IsNull(int64_t i) const;
  // Writes the value, or NULL, into the cell.
  void Store(int64_t i, uint32_t row, state::StateColumn* column);
  // Order of the value, which is not NULL, and what is in the cell, which is not NULL either;
  // Spark's order. Errors: CHECKPOINT_CORRUPT where the cell's bytes mean nothing.
  arrow::Result<int> Compare(int64_t i, uint32_t row, const state::StateColumn& column);
  // The value's bytes as they stand in a cell: for types of variable width.
  std::string_view BytesOf(int64_t i);

 private:
  const arrow::Array& array_;
  const int32_t width_;  // of a cell; -1 for bytes
  const bool has_nulls_;
  const bool is_nested_;
  const uint8_t* fixed_ = nullptr;  // first value, of all fixed types but BOOLEAN
  state::PodVector<uint8_t> scratch_;
};

}  // namespace tidemill::worker
