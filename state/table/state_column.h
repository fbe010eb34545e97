#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// One value column of a hot table: plain arrays indexed by row, written by the operators that own
// it. A new row is NULL, with zero bits as its value. Pointers live until the next insert into the
// table.
//   fixed width (1, 2, 4, 8 or 16 bytes; BOOLEAN is one byte): values<T>() and validity()
//   STRING and BINARY: GetBytes and SetBytes; nested types the same, as row_codec.h's bytes
// Before a row of a transactional table is written, HotTable::Touch must have seen it.
// *Thread-compatible.*
class StateColumn {
 public:
  static constexpr size_t kMaxCellBytes = size_t{1} << 30;

  explicit StateColumn(std::shared_ptr<arrow::DataType> type);
  StateColumn(StateColumn&&) = default;

  const std::shared_ptr<arrow::DataType>& type() const { return type_; }
  int32_t width() const { return width_; }  // bytes, -1 for variable width
  bool is_nested() const { return is_nested_; }

  template <class T>
  T* values() {
    return reinterpret_cast<T*>(fixed_.data());
  }
  template <class T>
  const T* values() const {
    return reinterpret_cast<const T*>(fixed_.data());
  }
  uint8_t* validity() { return validity_.data(); }  // 1 = has a value, 0 = NULL
  const uint8_t* validity() const { return validity_.data(); }

  // Says that the row will be read soon.
  void Fetch(uint32_t row) const {
    __builtin_prefetch(validity_.data() + row);
    if (width_ < 0) {
      __builtin_prefetch(cells_.data() + row);
    } else {
      __builtin_prefetch(fixed_.data() + static_cast<size_t>(row) * width_);
    }
  }
  std::string_view GetBytes(uint32_t row) const {
    const Cell& cell = cells_[row];
    return {reinterpret_cast<const char*>(arena_.data()) + cell.offset, cell.length};
  }
  // Makes the row valid. `bytes` must not point into this column.
  void SetBytes(uint32_t row, std::string_view bytes);
  void SetNull(uint32_t row) { validity_[row] = 0; }
  // Adds to the row's bytes (to none where it is NULL) and makes it valid, in time that follows
  // `bytes` and not what is there: a cell grows with room to spare. What an undo value sees of a
  // cell is its first bytes, which appending leaves alone. `bytes` must not point into this column.
  // Errors: STATE_VALUE_TOO_LARGE (kResource) beyond kMaxCellBytes.
  arrow::Status AppendBytes(uint32_t row, std::string_view bytes);
  // The row's bytes, to be written in place; copied first where an undo value sees them. The row
  // must be valid.
  std::span<uint8_t> MutableBytes(uint32_t row);

  // The values of `rows` as an Arrow array of type().
  arrow::Result<std::shared_ptr<arrow::Array>> ToArray(std::span<const uint32_t> rows,
                                                       arrow::MemoryPool* pool) const;

  // What follows serves HotTable. Undo values are those pushed since the last EndEpoch.
  void AddRows(uint32_t count);                      // NULL, zero
  void SaveUndo(std::span<const uint32_t> rows);     // pushes the rows' values
  void RestoreUndo(std::span<const uint32_t> rows);  // all rows that were pushed, in order
  void TruncateForUndo(uint32_t num_rows);           // forgets later rows and the epoch's bytes
  void EndEpoch();                                   // drops the undo values
  void KeepRows(std::span<const uint32_t> kept);     // renumbers; only without undo values
  void CompactBytes();                               // only without undo values
  void Shrink();                                     // gives back memory that is not used
  void Clear();                                      // keeps capacity
  bool wants_compaction() const { return arena_.size() > 4096 && garbage_ > arena_.size() / 2; }
  int64_t memory_bytes() const;

 private:
  struct Cell {
    uint64_t offset;
    uint32_t length;
    uint32_t capacity;
  };

  void GrowCell(Cell* cell, size_t needed);

  std::shared_ptr<arrow::DataType> type_;
  int32_t width_ = 0;
  bool is_nested_ = false;
  PodVector<uint8_t> validity_;
  PodVector<uint8_t> fixed_;  // width_ bytes a row
  PodVector<Cell> cells_;     // variable width
  PodVector<uint8_t> arena_;
  size_t epoch_begin_ = 0;  // bytes before it are seen by undo values and never overwritten
  size_t garbage_ = 0;      // bytes of the arena without a cell, about
  size_t garbage_at_begin_ = 0;
  PodVector<uint8_t> undo_validity_;
  PodVector<uint8_t> undo_fixed_;
  PodVector<Cell> undo_cells_;
};

}  // namespace tidemill::state
