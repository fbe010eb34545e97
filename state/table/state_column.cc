#include "state/table/state_column.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "state/table/column_gather.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

StateColumn::StateColumn(std::shared_ptr<arrow::DataType> type)
    : type_(std::move(type)), width_(FixedWidthOf(*type_)), is_nested_(IsNestedType(*type_)) {}

void StateColumn::SetBytes(uint32_t row, std::string_view bytes) {
  validity_[row] = 1;
  Cell& cell = cells_[row];
  if (cell.offset < epoch_begin_ || bytes.size() > cell.capacity) {
    garbage_ += cell.capacity;
    const auto size = static_cast<uint32_t>(bytes.size());
    cell = {arena_.size(), size, size};
    arena_.Append(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    return;
  }
  if (!bytes.empty()) std::memcpy(arena_.data() + cell.offset, bytes.data(), bytes.size());
  cell.length = static_cast<uint32_t>(bytes.size());
}

// Makes room behind the cell's bytes: in place where it is the last one of the arena.
void StateColumn::GrowCell(Cell* cell, size_t needed) {
  const size_t capacity = needed + needed / 2;
  if (cell->offset + cell->capacity == arena_.size() && cell->capacity > 0) {
    arena_.Resize(cell->offset + capacity);
    cell->capacity = static_cast<uint32_t>(capacity);
    return;
  }
  const size_t offset = arena_.size();
  arena_.Resize(offset + capacity);
  if (cell->length > 0) {
    std::memcpy(arena_.data() + offset, arena_.data() + cell->offset, cell->length);
  }
  garbage_ += cell->capacity;
  *cell = {offset, cell->length, static_cast<uint32_t>(capacity)};
}

arrow::Status StateColumn::AppendBytes(uint32_t row, std::string_view bytes) {
  Cell& cell = cells_[row];
  if (validity_[row] == 0) {
    // What is in the cell may be an undo value's.
    if (cell.offset < epoch_begin_) {
      garbage_ += cell.capacity;
      cell = {0, 0, 0};
    }
    cell.length = 0;
    validity_[row] = 1;
  }
  if (bytes.empty()) return arrow::Status::OK();
  const size_t needed = cell.length + bytes.size();
  if (needed > kMaxCellBytes) {
    return MakeError(ErrorKind::kResource, "STATE_VALUE_TOO_LARGE",
                     fmt::format("one value of the state must be smaller than {} bytes: bytes={}",
                                 kMaxCellBytes, needed));
  }
  if (needed > cell.capacity) GrowCell(&cell, needed);
  std::memcpy(arena_.data() + cell.offset + cell.length, bytes.data(), bytes.size());
  cell.length = static_cast<uint32_t>(needed);
  return arrow::Status::OK();
}

std::span<uint8_t> StateColumn::MutableBytes(uint32_t row) {
  Cell& cell = cells_[row];
  if (cell.offset < epoch_begin_ && cell.length > 0) {
    const size_t offset = arena_.size();
    arena_.Resize(offset + cell.length);
    std::memcpy(arena_.data() + offset, arena_.data() + cell.offset, cell.length);
    garbage_ += cell.capacity;
    cell = {offset, cell.length, cell.length};
  }
  return {arena_.data() + cell.offset, cell.length};
}

arrow::Result<std::shared_ptr<arrow::Array>> StateColumn::ToArray(std::span<const uint32_t> rows,
                                                                  arrow::MemoryPool* pool) const {
  const ColumnRows piece{this, rows};
  return GatherColumn({&piece, 1}, pool);
}

void StateColumn::AddRows(uint32_t count) {
  validity_.ResizeZeroed(validity_.size() + count);
  if (width_ >= 0) {
    fixed_.ResizeZeroed(fixed_.size() + static_cast<size_t>(count) * width_);
  } else {
    cells_.ResizeZeroed(cells_.size() + count);
  }
}

void StateColumn::SaveUndo(std::span<const uint32_t> rows) {
  const size_t before = undo_validity_.size();
  undo_validity_.Resize(before + rows.size());
  for (size_t i = 0; i < rows.size(); ++i) undo_validity_[before + i] = validity_[rows[i]];
  if (width_ < 0) {
    for (const uint32_t row : rows) undo_cells_.PushBack(cells_[row]);
    return;
  }
  if (width_ == 0) return;
  undo_fixed_.Resize((before + rows.size()) * width_);
  uint8_t* target = undo_fixed_.data() + before * width_;
  for (const uint32_t row : rows) {
    std::memcpy(target, fixed_.data() + static_cast<size_t>(row) * width_, width_);
    target += width_;
  }
}

void StateColumn::RestoreUndo(std::span<const uint32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    validity_[rows[i]] = undo_validity_[i];
    if (width_ < 0) {
      cells_[rows[i]] = undo_cells_[i];
    } else if (width_ > 0) {
      std::memcpy(fixed_.data() + static_cast<size_t>(rows[i]) * width_,
                  undo_fixed_.data() + i * width_, width_);
    }
  }
}

void StateColumn::EndEpoch() {
  undo_validity_.Clear();
  undo_fixed_.Clear();
  undo_cells_.Clear();
  epoch_begin_ = arena_.size();
  garbage_at_begin_ = garbage_;
}

void StateColumn::TruncateForUndo(uint32_t num_rows) {
  validity_.Resize(num_rows);
  if (width_ >= 0) {
    fixed_.Resize(static_cast<size_t>(num_rows) * width_);
  } else {
    cells_.Resize(num_rows);
  }
  arena_.Resize(epoch_begin_);
  garbage_ = garbage_at_begin_;
}

void StateColumn::KeepRows(std::span<const uint32_t> kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    validity_[i] = validity_[kept[i]];
    if (width_ < 0) {
      cells_[i] = cells_[kept[i]];
    } else if (width_ > 0) {
      std::memmove(fixed_.data() + i * width_,
                   fixed_.data() + static_cast<size_t>(kept[i]) * width_, width_);
    }
  }
  validity_.Resize(kept.size());
  if (width_ >= 0) {
    fixed_.Resize(kept.size() * width_);
  } else {
    cells_.Resize(kept.size());
    CompactBytes();
  }
}

void StateColumn::CompactBytes() {
  size_t total = 0;
  for (Cell& cell : cells_) total += cell.length;
  PodVector<uint8_t> compact;
  compact.Resize(total);
  size_t end = 0;
  for (Cell& cell : cells_) {
    if (cell.length > 0) {
      std::memcpy(compact.data() + end, arena_.data() + cell.offset, cell.length);
    }
    cell = {end, cell.length, cell.length};
    end += cell.length;
  }
  arena_ = std::move(compact);
  garbage_ = 0;
  EndEpoch();
}

void StateColumn::Shrink() {
  validity_.Shrink();
  fixed_.Shrink();
  cells_.Shrink();
  arena_.Shrink();
  undo_validity_.Shrink();
  undo_fixed_.Shrink();
  undo_cells_.Shrink();
}

void StateColumn::Clear() {
  validity_.Clear();
  fixed_.Clear();
  cells_.Clear();
  arena_.Clear();
  garbage_ = 0;
  EndEpoch();
}

int64_t StateColumn::memory_bytes() const {
  return validity_.memory_bytes() + fixed_.memory_bytes() + cells_.memory_bytes() +
         arena_.memory_bytes() + undo_validity_.memory_bytes() + undo_fixed_.memory_bytes() +
         undo_cells_.memory_bytes();
}

}  // namespace tidemill::state
