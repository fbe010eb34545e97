#include "worker/aggregates/collections/bag.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "common/base/hash.h"
#include "state/table/row_codec.h"

namespace tidemill::worker {

namespace {

// Below this, putting equal values together is not worth while.
constexpr size_t kLeastBytes = 512;

// Finds equal values among entries: open addressing over entry numbers.
class EntryIndex {
 public:
  explicit EntryIndex(size_t most) : slots_(std::bit_ceil(most * 2 + 16), kEmpty) {}

  // The number of an entry with this value, or `next` after remembering it there.
  size_t FindOrAdd(std::string_view value, size_t next, const std::vector<BagEntry>& entries) {
    const size_t mask = slots_.size() - 1;
    size_t slot = Hash64(value.data(), value.size()) & mask;
    while (slots_[slot] != kEmpty) {
      if (entries[slots_[slot]].value == value) return slots_[slot];
      slot = (slot + 1) & mask;
    }
    slots_[slot] = static_cast<uint32_t>(next);
    return next;
  }

 private:
  static constexpr uint32_t kEmpty = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> slots_;
};

bool ReadEntry(const uint8_t** cursor, const uint8_t* end, BagEntry* entry) {
  uint64_t length = 0;
  if (!state::ReadVarint(cursor, end, &length)) return false;
  if (length > static_cast<uint64_t>(end - *cursor)) return false;
  entry->value = {reinterpret_cast<const char*>(*cursor), length};
  *cursor += length;
  return state::ReadVarint(cursor, end, &entry->count);
}

size_t EntrySize(const BagEntry& entry) {
  return state::VarintSize(entry.value.size()) + entry.value.size() +
         state::VarintSize(entry.count);
}

uint8_t* WriteEntry(uint8_t* out, const BagEntry& entry) {
  out = state::WriteVarint(out, entry.value.size());
  if (!entry.value.empty()) std::memcpy(out, entry.value.data(), entry.value.size());
  return state::WriteVarint(out + entry.value.size(), entry.count);
}

}  // namespace

arrow::Status ReadBag(std::string_view entries, std::vector<BagEntry>* distinct) {
  distinct->clear();
  const auto* cursor = reinterpret_cast<const uint8_t*>(entries.data());
  const uint8_t* const end = cursor + entries.size();
  std::vector<BagEntry> all;
  while (cursor < end) {
    BagEntry entry;
    if (!ReadEntry(&cursor, end, &entry)) {
      return state::CorruptState("bag of values ends within an entry");
    }
    all.push_back(entry);
  }
  EntryIndex index(all.size());
  for (const BagEntry& entry : all) {
    const size_t found = index.FindOrAdd(entry.value, distinct->size(), *distinct);
    if (found == distinct->size()) {
      distinct->push_back(entry);
    } else {
      (*distinct)[found].count += entry.count;
    }
  }
  return arrow::Status::OK();
}

arrow::Status BagWriter::Add(uint32_t row, std::string_view value, uint64_t count) {
  const BagEntry entry{value, count};
  entry_.resize(EntrySize(entry));
  WriteEntry(entry_.data(), entry);
  return AddAll(row, {reinterpret_cast<const char*>(entry_.data()), entry_.size()});
}

arrow::Status BagWriter::AddAll(uint32_t row, std::string_view entries) {
  ARROW_RETURN_NOT_OK(columns_[0].AppendBytes(row, entries));
  return CompactIfDue(row);
}

arrow::Status BagWriter::CompactIfDue(uint32_t row) {
  int64_t* distinct_bytes = columns_[1].values<int64_t>() + row;
  columns_[1].validity()[row] = 1;
  const std::string_view bytes = columns_[0].GetBytes(row);
  const size_t before =
      std::min(bytes.size(), static_cast<size_t>(std::max<int64_t>(*distinct_bytes, 0)));
  if (bytes.size() - before <= std::max(kLeastBytes, before)) return arrow::Status::OK();
  std::vector<BagEntry> distinct;
  ARROW_RETURN_NOT_OK(ReadBag(bytes, &distinct));
  size_t size = 0;
  for (const BagEntry& entry : distinct) size += EntrySize(entry);
  entry_.resize(size);
  uint8_t* out = entry_.data();
  for (const BagEntry& entry : distinct) out = WriteEntry(out, entry);
  columns_[0].SetBytes(row, {reinterpret_cast<const char*>(entry_.data()), size});
  *distinct_bytes = static_cast<int64_t>(size);
  return arrow::Status::OK();
}

arrow::Status MergeBags(const arrow::Array& partial, int64_t begin, int64_t end,
                        const uint32_t* target, state::StateColumn* columns) {
  BagWriter bags(columns);
  const auto& cells = static_cast<const arrow::BinaryArray&>(partial);
  for (int64_t i = begin; i < end; ++i) {
    if (cells.IsNull(i)) continue;
    ARROW_RETURN_NOT_OK(bags.AddAll(target[i - begin], cells.GetView(i)));
  }
  return arrow::Status::OK();
}

arrow::Status AppendDecoded(std::string_view bytes, arrow::ArrayBuilder* builder) {
  const auto* cursor = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = cursor + bytes.size();
  ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, builder));
  return cursor == end ? arrow::Status::OK()
                       : state::CorruptState("encoded value has bytes left over");
}

}  // namespace tidemill::worker
