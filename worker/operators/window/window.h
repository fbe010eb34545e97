#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "state/table/key_codec.h"
#include "worker/operators/operator.h"
#include "worker/operators/window/sorted_partitions.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Computes window functions over all rows of the epoch (bounded input), which are exchanged by the
// partition's columns or gathered. Output: the input's columns, then one for each call.
class Window final : public Operator {
 public:
  // `schema` is that of the output.
  static arrow::Result<std::unique_ptr<Window>> Make(WindowPlan plan,
                                                     std::shared_ptr<arrow::Schema> schema);

  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                               RowConsumer* out) override;
  void Reset() override { groups_.clear(); }

 private:
  // Of one key group: rows that wait, then the result and how much of it has gone out.
  struct Group {
    std::vector<std::shared_ptr<arrow::RecordBatch>> waiting;
    std::shared_ptr<arrow::RecordBatch> result;
    int64_t emitted = 0;
  };

  Window(WindowPlan plan, std::shared_ptr<arrow::Schema> schema,
         std::shared_ptr<const state::KeyCodec> codec);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Compute(
      const EvalContext& context, std::vector<std::shared_ptr<arrow::RecordBatch>> batches) const;
  arrow::Result<std::shared_ptr<arrow::Array>> ComputeCall(const EvalContext& context,
                                                           const WindowCallPlan& call,
                                                           const SortedPartitions& sorted) const;

  const WindowPlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<const state::KeyCodec> codec_;
  std::map<uint32_t, Group> groups_;
};

}  // namespace tidemill::worker
