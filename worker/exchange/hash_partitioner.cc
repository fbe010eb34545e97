#include "worker/exchange/hash_partitioner.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace tidemill::worker {

HashPartitioner::HashPartitioner(std::shared_ptr<const state::KeyCodec> codec,
                                 std::vector<int> key_columns, std::vector<uint32_t> key_group_slot,
                                 int slots)
    : codec_(std::move(codec)),
      key_columns_(std::move(key_columns)),
      key_group_slot_(std::move(key_group_slot)),
      slots_(slots),
      group_order_(key_group_slot_.size()) {
  std::iota(group_order_.begin(), group_order_.end(), 0);
  std::stable_sort(group_order_.begin(), group_order_.end(), [this](uint32_t a, uint32_t b) {
    return key_group_slot_[a] < key_group_slot_[b];
  });
}

arrow::Result<std::unique_ptr<HashPartitioner>> HashPartitioner::Make(
    std::vector<std::shared_ptr<arrow::DataType>> key_types, std::vector<int> key_columns,
    std::vector<uint32_t> key_group_slot, int slots) {
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(std::move(key_types)));
  return std::unique_ptr<HashPartitioner>(new HashPartitioner(
      std::move(codec), std::move(key_columns), std::move(key_group_slot), slots));
}

arrow::Result<std::vector<Rows>> HashPartitioner::Partition(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const int64_t rows = batch->num_rows();
  const auto groups = static_cast<uint32_t>(key_group_slot_.size());
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (int column : key_columns_) keys.push_back(batch->column(column));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, rows, &encoded_));

  row_group_.resize(rows);
  std::vector<int32_t> counts(groups, 0);
  for (int64_t row = 0; row < rows; ++row) {
    row_group_[row] = state::KeyGroupOf(encoded_.hashes[row], groups);
    ++counts[row_group_[row]];
  }
  group_begin_.assign(groups, 0);
  int32_t position = 0;
  for (uint32_t group : group_order_) {
    group_begin_[group] = position;
    position += counts[group];
  }
  ARROW_ASSIGN_OR_RAISE(auto indices_buffer, arrow::AllocateBuffer(rows * sizeof(int32_t)));
  auto* indices = reinterpret_cast<int32_t*>(indices_buffer->mutable_data());
  std::vector<int32_t> next = group_begin_;
  for (int64_t row = 0; row < rows; ++row)
    indices[next[row_group_[row]]++] = static_cast<int32_t>(row);
  auto take = std::make_shared<arrow::Int32Array>(
      rows, std::shared_ptr<arrow::Buffer>(std::move(indices_buffer)));
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum sorted,
      arrow::compute::Take(batch, take, arrow::compute::TakeOptions::NoBoundsCheck()));
  const std::shared_ptr<arrow::RecordBatch> ordered = sorted.record_batch();

  std::vector<Rows> pieces(slots_);
  size_t at = 0;
  while (at < group_order_.size()) {
    const uint32_t slot = key_group_slot_[group_order_[at]];
    const int32_t begin = group_begin_[group_order_[at]];
    int32_t end = begin;
    Rows& piece = pieces[slot];
    for (; at < group_order_.size() && key_group_slot_[group_order_[at]] == slot; ++at) {
      const uint32_t group = group_order_[at];
      if (counts[group] == 0) continue;
      piece.runs.push_back({group, end - begin, end - begin + counts[group]});
      end += counts[group];
    }
    if (end > begin) piece.batch = ordered->Slice(begin, end - begin);
  }
  return pieces;
}

}  // namespace tidemill::worker
