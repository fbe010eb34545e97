#include "state/table/row_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/base/check.h"
#include "state/table/row_codec.h"

// Bytes of a block, little-endian:
//   u8 row codec version, u32 rows, i32 key width, i32 value width (-1: variable)
//   u8 flags of each row
//   variable keys: u32 length of each key; then the keys one after the other
//   variable values: u32 length of each value; then the values one after the other
namespace tidemill::state {

namespace {

struct Header {
  uint8_t version;
  uint32_t num_rows;
  int32_t key_width;
  int32_t value_width;
} __attribute__((packed));

void AppendBytes(const void* data, size_t size, PodVector<uint8_t>* out) {
  out->Append(static_cast<const uint8_t*>(data), size);
}

void AppendPart(const PodVector<uint8_t>& bytes, const PodVector<uint64_t>& offsets, int32_t width,
                uint32_t num_rows, PodVector<uint8_t>* out) {
  if (width < 0 && num_rows > 0) {
    const size_t at = out->size();
    out->Resize(at + num_rows * sizeof(uint32_t));
    for (uint32_t i = 0; i < num_rows; ++i) {
      const uint64_t length = offsets[i + 1] - offsets[i];
      TIDEMILL_CHECK(length <= std::numeric_limits<uint32_t>::max());
      const auto stored = static_cast<uint32_t>(length);
      std::memcpy(out->data() + at + i * sizeof(stored), &stored, sizeof(stored));
    }
  }
  AppendBytes(bytes.data(), bytes.size(), out);
}

// Takes `size` bytes from the front of `bytes`.
arrow::Status Take(std::string_view* bytes, uint64_t size, std::string_view* out) {
  if (size > bytes->size())
    return CorruptState(fmt::format("row block ends early: need={} have={}", size, bytes->size()));
  *out = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return arrow::Status::OK();
}

arrow::Status TakePart(std::string_view* input, int32_t width, uint32_t num_rows,
                       PodVector<uint64_t>* offsets, PodVector<uint8_t>* bytes) {
  uint64_t total = 0;
  offsets->Clear();
  if (width < 0) {
    std::string_view lengths;
    ARROW_RETURN_NOT_OK(Take(input, static_cast<uint64_t>(num_rows) * sizeof(uint32_t), &lengths));
    offsets->Resize(num_rows + size_t{1});
    for (uint32_t i = 0; i < num_rows; ++i) {
      uint32_t length;
      std::memcpy(&length, lengths.data() + i * sizeof(length), sizeof(length));
      (*offsets)[i] = total;
      total += length;
    }
    (*offsets)[num_rows] = total;
  } else {
    total = static_cast<uint64_t>(num_rows) * static_cast<uint64_t>(width);
  }
  std::string_view data;
  ARROW_RETURN_NOT_OK(Take(input, total, &data));
  bytes->Clear();
  bytes->Append(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  return arrow::Status::OK();
}

void AppendCell(std::string_view cell, int32_t width, PodVector<uint64_t>* offsets,
                PodVector<uint8_t>* bytes) {
  if (width >= 0) {
    TIDEMILL_CHECK(cell.empty() || cell.size() == static_cast<size_t>(width));
    if (cell.empty()) {
      bytes->ResizeZeroed(bytes->size() + width);
      return;
    }
  }
  bytes->Append(reinterpret_cast<const uint8_t*>(cell.data()), cell.size());
  if (width < 0) offsets->PushBack(bytes->size());
}

}  // namespace

void RowBlock::Clear(int32_t new_key_width, int32_t new_value_width) {
  num_rows = 0;
  key_width = new_key_width;
  value_width = new_value_width;
  flags.Clear();
  keys.Clear();
  values.Clear();
  key_offsets.Clear();
  value_offsets.Clear();
  if (key_width < 0) key_offsets.PushBack(0);
  if (value_width < 0) value_offsets.PushBack(0);
}

void RowBlock::AppendRow(uint8_t row_flags, std::string_view key, std::string_view value) {
  ++num_rows;
  flags.PushBack(row_flags);
  AppendCell(key, key_width, &key_offsets, &keys);
  AppendCell(value, value_width, &value_offsets, &values);
}

void SerialiseRowBlock(const RowBlock& block, PodVector<uint8_t>* out) {
  const Header header = {kRowCodecVersion, block.num_rows, block.key_width, block.value_width};
  AppendBytes(&header, sizeof(header), out);
  AppendBytes(block.flags.data(), block.flags.size(), out);
  AppendPart(block.keys, block.key_offsets, block.key_width, block.num_rows, out);
  AppendPart(block.values, block.value_offsets, block.value_width, block.num_rows, out);
}

arrow::Status ParseRowBlock(std::string_view bytes, RowBlock* out) {
  std::string_view part;
  ARROW_RETURN_NOT_OK(Take(&bytes, sizeof(Header), &part));
  Header header;
  std::memcpy(&header, part.data(), sizeof(header));
  if (header.version != kRowCodecVersion)
    return CorruptState(
        fmt::format("row codec version must be {}: version={}", kRowCodecVersion, header.version));
  out->num_rows = header.num_rows;
  // By value: the header is packed.
  out->key_width = std::max(int32_t{header.key_width}, -1);
  out->value_width = std::max(int32_t{header.value_width}, -1);
  ARROW_RETURN_NOT_OK(Take(&bytes, header.num_rows, &part));
  out->flags.Clear();
  out->flags.Append(reinterpret_cast<const uint8_t*>(part.data()), part.size());
  ARROW_RETURN_NOT_OK(
      TakePart(&bytes, out->key_width, out->num_rows, &out->key_offsets, &out->keys));
  ARROW_RETURN_NOT_OK(
      TakePart(&bytes, out->value_width, out->num_rows, &out->value_offsets, &out->values));
  if (!bytes.empty())
    return CorruptState(fmt::format("row block has bytes left over: bytes={}", bytes.size()));
  return arrow::Status::OK();
}

}  // namespace tidemill::state
