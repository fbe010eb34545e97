// Rows of a hot table as blocks and as Arrow arrays.
#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "state/table/hot_table.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

constexpr uint32_t kImportRows = 4096;

void SetBit(PodVector<uint8_t>* bits, size_t i, bool value) {
  if (i % 8 == 0) bits->PushBack(0);
  if (value) (*bits)[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
}

// Sum of the values' sizes up to each row, appended to `offsets`, whose last element is the start.
void AppendValueOffsets(const std::vector<StateColumn>& columns, std::span<const uint32_t> rows,
                        const PodVector<uint8_t>& flags, PodVector<uint64_t>* offsets) {
  const size_t first = offsets->size();
  const uint64_t start = (*offsets)[first - 1];
  const uint8_t* row_flags = flags.data() + flags.size() - rows.size();
  offsets->ResizeZeroed(first + rows.size());
  uint64_t* sizes = offsets->data() + first;
  for (const StateColumn& column : columns) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (column.width() >= 0) {
        sizes[i] += 1 + column.width();
      } else if (column.validity()[rows[i]] == 0) {
        sizes[i] += 1;
      } else {
        const size_t length = column.GetBytes(rows[i]).size();
        sizes[i] += 1 + VarintSize(length) + length;
      }
    }
  }
  uint64_t end = start;
  for (size_t i = 0; i < rows.size(); ++i) {
    if ((row_flags[i] & RowBlock::kTombstone) == 0) end += sizes[i];
    sizes[i] = end;
  }
}

// Writes one value as row_codec.h says and returns where the next one goes.
uint8_t* WriteValue(const StateColumn& column, uint32_t row, uint8_t* out) {
  const bool is_valid = column.validity()[row] != 0;
  *out++ = is_valid ? 1 : 0;
  const int32_t width = column.width();
  if (width >= 0) {
    if (is_valid && width > 0) {
      std::memcpy(out, column.values<uint8_t>() + static_cast<size_t>(row) * width, width);
    } else {
      std::memset(out, 0, width);
    }
    return out + width;
  }
  if (!is_valid) return out;
  const std::string_view bytes = column.GetBytes(row);
  out = WriteVarint(out, bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// Reads one value at *cursor into a row that may be written.
arrow::Status ReadValue(const uint8_t** cursor, const uint8_t* end, uint32_t row,
                        StateColumn* column) {
  const int32_t width = column->width();
  if (end - *cursor < 1 + std::max(width, 0)) return CorruptState("encoded value ends early");
  const uint8_t presence = *(*cursor)++;
  if (presence > 1) return CorruptState("presence byte must be 0 or 1");
  if (width >= 0) {
    column->validity()[row] = presence;
    if (width > 0) {
      std::memcpy(column->values<uint8_t>() + static_cast<size_t>(row) * width, *cursor, width);
    }
    *cursor += width;
    return arrow::Status::OK();
  }
  if (presence == 0) {
    column->SetNull(row);
    return arrow::Status::OK();
  }
  uint64_t length = 0;
  if (!ReadVarint(cursor, end, &length) || length > static_cast<uint64_t>(end - *cursor))
    return CorruptState("encoded value ends early");
  column->SetBytes(row, {reinterpret_cast<const char*>(*cursor), length});
  *cursor += length;
  return arrow::Status::OK();
}

}  // namespace

// Fetches what `rows` at `i` and a few further ones need, which are far apart: first where keys
// are, some steps later the keys themselves.
void HotTable::FetchKeysAhead(std::span<const uint32_t> rows, size_t i) const {
  constexpr size_t kKeysAhead = 8;
  const bool is_variable = keys_->width() < 0;
  if (is_variable && i + 2 * kKeysAhead < rows.size()) {
    __builtin_prefetch(key_ends_.data() + rows[i + 2 * kKeysAhead]);
  }
  if (i + kKeysAhead < rows.size()) __builtin_prefetch(key(rows[i + kKeysAhead]).data());
}

void HotTable::ExportRows(std::span<const uint32_t> rows, RowBlock* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    FetchKeysAhead(rows, i);
    const uint32_t row = rows[i];
    const std::string_view bytes = key(row);
    uint8_t flags = is_live(row) ? 0 : RowBlock::kTombstone;
    if (is_null_key(row)) flags |= RowBlock::kNullKey;
    out->flags.PushBack(flags);
    out->keys.Append(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (out->key_width < 0) out->key_offsets.PushBack(out->keys.size());
  }
  out->num_rows += static_cast<uint32_t>(rows.size());
  const size_t begin = out->values.size();
  if (value_width_ >= 0) {
    out->values.Resize(begin + rows.size() * value_width_);
  } else {
    AppendValueOffsets(columns_, rows, out->flags, &out->value_offsets);
    out->values.Resize(out->value_offsets[out->num_rows]);
  }
  uint8_t* cursor = out->values.data() + begin;
  for (size_t i = 0; i < rows.size(); ++i) {
    constexpr size_t kRowsAhead = 8;
    if (i + kRowsAhead < rows.size()) {
      for (const StateColumn& column : columns_) column.Fetch(rows[i + kRowsAhead]);
    }
    const uint32_t row = rows[i];
    if (is_live(row)) {
      for (const StateColumn& column : columns_) cursor = WriteValue(column, row, cursor);
    } else if (value_width_ > 0) {
      std::memset(cursor, 0, value_width_);
      cursor += value_width_;
    }
  }
}

void HotTable::ExportChanges(RowBlock* out) const {
  out->Clear(key_width(), value_width_);
  std::vector<uint32_t> rows;
  rows.reserve(changed_.size());
  for (const uint32_t row : changed_)
    if (is_live(row) || row < epoch_first_row_ || (marks_[row] & kCaptured) != 0)
      rows.push_back(row);
  ExportRows(rows, out);
}

void HotTable::CaptureDirty(RowBlock* out) {
  TIDEMILL_CHECK(changed_.empty());
  out->Clear(key_width(), value_width_);
  if (tombstones_ != nullptr) {
    for (uint32_t i = 0; i < tombstones_->num_rows; ++i) {
      const bool is_null = (tombstones_->flags[i] & RowBlock::kNullKey) != 0;
      if (FindOne(tombstones_->Key(i), is_null) != kNoRow) continue;  // came back: a dirty row
      out->AppendRow(tombstones_->flags[i], tombstones_->Key(i), {});
    }
    tombstones_.reset();
  }
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < num_rows(); ++row) {
    if ((marks_[row] & (kLive | kDirty)) != (kLive | kDirty)) continue;
    rows.push_back(row);
    marks_[row] = static_cast<uint8_t>((marks_[row] & ~kDirty) | kCaptured);
  }
  ExportRows(rows, out);
}

void HotTable::MarkAllDirty() {
  TIDEMILL_CHECK(changed_.empty() && cold_rows() == 0);
  tombstones_.reset();
  cold_.reset();
  for (uint32_t row = 0; row < num_rows(); ++row) {
    if (is_live(row)) marks_[row] = static_cast<uint8_t>((marks_[row] & ~kCaptured) | kDirty);
  }
}

void HotTable::RecordRemoval(uint32_t row) {
  if (tombstones_ == nullptr) {
    tombstones_ = std::make_unique<RowBlock>();
    tombstones_->Clear(key_width(), 0);
  }
  const uint8_t null_flag = is_null_key(row) ? RowBlock::kNullKey : 0;
  tombstones_->AppendRow(RowBlock::kTombstone | null_flag, key(row), {});
}

uint32_t HotTable::FindOne(std::string_view key, bool is_null) {
  EncodedKeys keys;
  const uint8_t no_bits[1] = {0};
  const int32_t offsets[2] = {0, static_cast<int32_t>(key.size())};
  keys.num_keys = 1;
  keys.width = keys_->width();
  keys.data = reinterpret_cast<const uint8_t*>(key.data());
  keys.offsets = offsets;
  if (is_null) keys.valid_bits = no_bits;
  keys.hashes.PushBack(keys_->HashOf(key));
  uint32_t row = kNoRow;
  Find(keys, 0, 1, &row);
  return row;
}

arrow::Status HotTable::Import(const RowBlock& block) {
  if (block.key_width != key_width() || block.value_width != value_width_)
    return CorruptState(fmt::format(
        "rows do not fit their operator: key_width={} expected={} value_width={} expected={}",
        block.key_width, key_width(), block.value_width, value_width_));
  for (uint32_t begin = 0; begin < block.num_rows && cold_rows() > 0; begin += kImportRows) {
    const uint32_t end = std::min(begin + kImportRows, block.num_rows);
    EncodedKeys keys;
    ARROW_RETURN_NOT_OK(KeysOf(block, begin, end, &keys));
    ARROW_RETURN_NOT_OK(AdmitCold(keys, 0, end - begin));
  }
  for (uint32_t i = 0; i < block.num_rows;) {
    if ((block.flags[i] & RowBlock::kTombstone) != 0) {
      const uint32_t row = FindOne(block.Key(i), (block.flags[i] & RowBlock::kNullKey) != 0);
      if (row != kNoRow) Erase({&row, 1});
      ++i;
      continue;
    }
    uint32_t end = i + 1;
    while (end < block.num_rows && end - i < kImportRows &&
           (block.flags[end] & RowBlock::kTombstone) == 0)
      ++end;
    ARROW_RETURN_NOT_OK(ImportPuts(block, i, end));
    i = end;
  }
  return arrow::Status::OK();
}

// Points into the block.
arrow::Status HotTable::KeysOf(const RowBlock& block, uint32_t begin, uint32_t end,
                               EncodedKeys* out) const {
  out->num_keys = static_cast<int32_t>(end - begin);
  out->width = key_width();
  out->data = block.keys.data();
  if (out->width < 0) {
    const uint64_t base = block.key_offsets[begin];
    if (block.key_offsets[end] - base > std::numeric_limits<int32_t>::max())
      return CorruptState("keys of a row block are too large");
    out->data += base;
    for (uint32_t i = begin; i <= end; ++i)
      out->scratch_offsets.PushBack(static_cast<int32_t>(block.key_offsets[i] - base));
    out->offsets = out->scratch_offsets.data();
  } else {
    out->data += static_cast<size_t>(begin) * out->width;
  }
  bool has_null = false;
  for (uint32_t i = begin; i < end; ++i) {
    const bool is_null = (block.flags[i] & RowBlock::kNullKey) != 0;
    SetBit(&out->scratch_bits, i - begin, !is_null);
    has_null |= is_null;
    out->hashes.PushBack(is_null ? kNullKeyHash : keys_->HashOf(block.Key(i)));
  }
  if (has_null && !keys_->has_null_flag())
    return CorruptState("a key without a NULL flag is flagged NULL");
  if (has_null) out->valid_bits = out->scratch_bits.data();
  return arrow::Status::OK();
}

arrow::Status HotTable::ImportPuts(const RowBlock& block, uint32_t begin, uint32_t end) {
  EncodedKeys keys;
  ARROW_RETURN_NOT_OK(KeysOf(block, begin, end, &keys));
  std::vector<uint32_t> rows(end - begin);
  FindOrInsert(keys, 0, end - begin, rows.data(), nullptr);
  Touch(rows);
  return ReadValues(block, begin, rows);
}

// Into rows that may be written, from the block's row `begin` on.
arrow::Status HotTable::ReadValues(const RowBlock& block, uint32_t begin,
                                   std::span<const uint32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string_view value = block.Value(begin + static_cast<uint32_t>(i));
    const auto* cursor = reinterpret_cast<const uint8_t*>(value.data());
    const uint8_t* value_end = cursor + value.size();
    for (StateColumn& column : columns_)
      ARROW_RETURN_NOT_OK(ReadValue(&cursor, value_end, rows[i], &column));
    if (cursor != value_end) return CorruptState("encoded row has bytes left over");
  }
  return arrow::Status::OK();
}

arrow::Status HotTable::GatherKeys(std::span<const uint32_t> rows, EncodedKeys* out) const {
  out->num_keys = static_cast<int32_t>(rows.size());
  out->width = key_width();
  const bool is_variable = out->width < 0;
  if (is_variable) out->scratch_offsets.PushBack(0);
  bool has_null = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    FetchKeysAhead(rows, i);
    const std::string_view bytes = key(rows[i]);
    out->scratch_bytes.Append(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    SetBit(&out->scratch_bits, i, !is_null_key(rows[i]));
    has_null |= is_null_key(rows[i]);
    if (!is_variable) continue;
    if (out->scratch_bytes.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      return MakeError(ErrorKind::kResource, "KEYS_TOO_LARGE",
                       "keys of one batch must encode to less than 2 GiB");
    out->scratch_offsets.PushBack(static_cast<int32_t>(out->scratch_bytes.size()));
  }
  out->data = out->scratch_bytes.data();
  out->offsets = out->scratch_offsets.data();
  out->valid_bits = has_null ? out->scratch_bits.data() : nullptr;
  return arrow::Status::OK();
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> HotTable::KeyArrays(
    std::span<const uint32_t> rows, arrow::MemoryPool* pool) const {
  EncodedKeys keys;
  ARROW_RETURN_NOT_OK(GatherKeys(rows, &keys));
  return keys_->Decode(keys, pool);
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> HotTable::ValueArrays(
    std::span<const uint32_t> rows, arrow::MemoryPool* pool) const {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const StateColumn& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, column.ToArray(rows, pool));
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace tidemill::state
