#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "state/table/key_codec.h"
#include "worker/exchange/frame.h"

namespace tidemill::worker {

// Cuts batches by the owner of each row's key: one piece per destination slot, rows stably ordered
// by key group. *Thread-compatible.*
class HashPartitioner {
 public:
  // `key_group_slot[g]` is the slot index that owns key group g, of `slots` slots.
  static arrow::Result<std::unique_ptr<HashPartitioner>> Make(
      std::vector<std::shared_ptr<arrow::DataType>> key_types, std::vector<int> key_columns,
      std::vector<uint32_t> key_group_slot, int slots);

  // By slot index; a slot without rows has a null batch.
  arrow::Result<std::vector<Rows>> Partition(const std::shared_ptr<arrow::RecordBatch>& batch);

 private:
  HashPartitioner(std::shared_ptr<const state::KeyCodec> codec, std::vector<int> key_columns,
                  std::vector<uint32_t> key_group_slot, int slots);

  const std::shared_ptr<const state::KeyCodec> codec_;
  state::EncodedKeys encoded_;
  const std::vector<int> key_columns_;
  const std::vector<uint32_t> key_group_slot_;
  const int slots_;
  std::vector<uint32_t> group_order_;  // key groups in the order (slot, key group)
  std::vector<uint32_t> row_group_;
  std::vector<int32_t> group_begin_;
};

}  // namespace tidemill::worker
