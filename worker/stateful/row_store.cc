#include "worker/stateful/row_store.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr size_t kSequenceBytes = sizeof(int64_t);  // the last ones of an encoded key

// Keys without rows are forgotten when they are more than half of those that the index knows.
constexpr int64_t kFewKeys = 64;

int64_t SequenceOf(std::string_view key) {
  int64_t sequence = 0;
  std::memcpy(&sequence, key.data() + key.size() - kSequenceBytes, kSequenceBytes);
  return sequence;
}

void BeginKeys(int32_t width, state::EncodedKeys* out) {
  out->num_keys = 0;
  out->width = width;
  out->scratch_bytes.Clear();
  out->scratch_offsets.Clear();
  out->hashes.Clear();
  if (width < 0) out->scratch_offsets.PushBack(0);
}

void AddKey(std::string_view key, uint64_t hash, state::EncodedKeys* out) {
  auto& bytes = out->scratch_bytes;
  bytes.Append(reinterpret_cast<const uint8_t*>(key.data()), key.size());
  if (out->width < 0) out->scratch_offsets.PushBack(static_cast<int32_t>(bytes.size()));
  out->hashes.PushBack(hash);
  ++out->num_keys;
}

void EndKeys(state::EncodedKeys* out) {
  out->data = out->scratch_bytes.data();
  out->offsets = out->scratch_offsets.data();
}

// Gives all keys other sequences: `first`, first + step, ...
void SetSequences(int64_t first, int64_t step, state::EncodedKeys* keys) {
  uint8_t* cursor = keys->scratch_bytes.data();
  for (int32_t i = 0; i < keys->num_keys; ++i) {
    cursor += keys->Key(i).size();
    const int64_t sequence = first + i * step;
    std::memcpy(cursor - kSequenceBytes, &sequence, kSequenceBytes);
  }
}

}  // namespace

std::vector<std::shared_ptr<arrow::DataType>> RowStore::KeyTypes(
    std::vector<std::shared_ptr<arrow::DataType>> types) {
  types.push_back(arrow::int64());
  return types;
}

arrow::Status RowStore::EncodeKeys(const state::KeyCodec& codec,
                                   std::vector<std::shared_ptr<arrow::Array>> columns, int64_t rows,
                                   state::EncodedKeys* out) {
  ARROW_ASSIGN_OR_RAISE(auto zeros, arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), rows));
  columns.push_back(std::move(zeros));
  return codec.Encode(columns, rows, out);
}

void RowStore::Attach(state::HotTable* table, uint64_t version) {
  const bool is_current = table == table_ && version == version_ && table->layout() == layout_ &&
                          directory_->size() <= 2 * table->size() + kFewKeys;
  if (is_current) return;
  table_ = table;
  version_ = version;
  layout_ = table->layout();
  Rebuild();
}

void RowStore::Rebuild() {
  directory_ = std::make_unique<state::HotTable>(
      state::HotTable::Options{.keys = codec_, .is_transactional = false});
  chains_.Clear();
  next_.Clear();
  next_sequence_ = 0;
  std::vector<uint32_t> live;
  table_->LiveRows(&live);
  // In the order of arrival, which a restore does not keep.
  const auto arrives_before = [this](uint32_t a, uint32_t b) {
    return SequenceOf(table_->key(a)) < SequenceOf(table_->key(b));
  };
  if (!std::is_sorted(live.begin(), live.end(), arrives_before))
    std::sort(live.begin(), live.end(), arrives_before);
  if (!live.empty()) next_sequence_ = SequenceOf(table_->key(live.back())) + 1;
  constexpr size_t kBlock = 1 << 12;
  for (size_t begin = 0; begin < live.size(); begin += kBlock) {
    const auto rows = std::span(live).subspan(begin, std::min(kBlock, live.size() - begin));
    BeginKeys(codec_->width(), &stored_);
    for (const uint32_t row : rows) AddKey(table_->key(row), 0, &stored_);
    EndKeys(&stored_);
    SetSequences(0, 0, &stored_);
    for (int32_t i = 0; i < stored_.num_keys; ++i) {
      stored_.hashes[i] = codec_->HashOf(stored_.Key(i));
    }
    found_.resize(rows.size());
    directory_->FindOrInsert(stored_, 0, stored_.num_keys, found_.data(), nullptr);
    for (size_t i = 0; i < rows.size(); ++i) Append(found_[i], rows[i]);
  }
}

void RowStore::Append(uint32_t chain, uint32_t row) {
  while (chains_.size() <= chain) chains_.PushBack({});
  while (next_.size() <= row) next_.PushBack(kNoRow);
  Chain& rows = chains_[chain];
  if (rows.first == kNoRow) {
    rows.first = row;
  } else {
    next_[rows.last] = row;
  }
  rows.last = row;
}

void RowStore::Insert(const state::EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows) {
  picked_.resize(end - begin);
  std::iota(picked_.begin(), picked_.end(), static_cast<uint32_t>(begin));
  Insert(keys, picked_, rows);
}

void RowStore::Insert(const state::EncodedKeys& keys, std::span<const uint32_t> picked,
                      uint32_t* rows) {
  BeginKeys(codec_->width(), &stored_);
  for (const uint32_t i : picked) AddKey(keys.Key(i), keys.hashes[i], &stored_);
  EndKeys(&stored_);
  found_.resize(picked.size());
  directory_->FindOrInsert(stored_, 0, stored_.num_keys, found_.data(), nullptr);
  SetSequences(next_sequence_, 1, &stored_);
  next_sequence_ += stored_.num_keys;
  table_->Append(stored_, 0, stored_.num_keys, rows);  // No sequence is used twice.
  for (size_t i = 0; i < picked.size(); ++i) Append(found_[i], rows[i]);
}

// The first live row at or after `row` of a chain; else its last row.
uint32_t RowStore::SkipDead(uint32_t row) const {
  while (row != kNoRow && !table_->is_live(row) && next_[row] != kNoRow) row = next_[row];
  return row;
}

void RowStore::FindFirst(const state::EncodedKeys& keys, int64_t begin, int64_t end,
                         uint32_t* first) {
  directory_->Find(keys, begin, end, first);
  for (int64_t i = 0; i < end - begin; ++i) {
    if (first[i] == state::HotTable::kNoRow) continue;
    Chain& chain = chains_[first[i]];
    chain.first = SkipDead(chain.first);
    first[i] = table_->is_live(chain.first) ? chain.first : kNoRow;
  }
}

uint32_t RowStore::Next(uint32_t row) {
  const uint32_t next = next_[row] = SkipDead(next_[row]);
  return next != kNoRow && table_->is_live(next) ? next : kNoRow;
}

void RowStore::Find(const state::EncodedKeys& keys, int64_t begin, int64_t end, RowMatches* out) {
  found_.resize(end - begin);
  FindFirst(keys, begin, end, found_.data());
  out->rows.clear();
  out->offsets.assign(1, 0);
  for (uint32_t row : found_) {
    for (; row != kNoRow; row = Next(row)) out->rows.push_back(row);
    out->offsets.push_back(static_cast<uint32_t>(out->rows.size()));
  }
}

}  // namespace tidemill::worker
