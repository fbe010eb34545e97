#include "worker/operators/window/window.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "worker/operators/window/frame_aggregate.h"
#include "worker/operators/window/frame_values.h"
#include "worker/operators/window/frames.h"
#include "worker/operators/window/ranking.h"

namespace tidemill::worker {

Window::Window(WindowPlan plan, std::shared_ptr<arrow::Schema> schema,
               std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)), schema_(std::move(schema)), codec_(std::move(codec)) {}

arrow::Result<std::unique_ptr<Window>> Window::Make(WindowPlan plan,
                                                    std::shared_ptr<arrow::Schema> schema) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const int column : plan.partition_columns) types.push_back(schema->field(column)->type());
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(std::move(types)));
  return std::unique_ptr<Window>(new Window(std::move(plan), std::move(schema), std::move(codec)));
}

arrow::Status Window::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  // Without a partition the stage is gathered: it is asked for key group 0, whatever its rows were.
  if (rows.runs.empty() || plan_.partition_columns.empty()) {
    groups_[0].waiting.push_back(std::move(rows.batch));
    return arrow::Status::OK();
  }
  for (const GroupRun& run : rows.runs) {
    groups_[run.key_group].waiting.push_back(rows.batch->Slice(run.begin, run.end - run.begin));
  }
  return arrow::Status::OK();
}

arrow::Result<bool> Window::EmitNext(const EvalContext& context, uint32_t key_group,
                                     RowConsumer* out) {
  const auto found = groups_.find(key_group);
  if (found == groups_.end()) return false;
  Group& group = found->second;
  if (group.result == nullptr) {
    ARROW_ASSIGN_OR_RAISE(group.result, Compute(context, std::move(group.waiting)));
  }
  const int64_t count = std::min(kEmitRows, group.result->num_rows() - group.emitted);
  auto batch = group.result->Slice(group.emitted, count);
  group.emitted += count;
  if (group.emitted == group.result->num_rows()) groups_.erase(found);
  ARROW_RETURN_NOT_OK(
      out->Consume({std::move(batch), {GroupRun{key_group, 0, static_cast<int32_t>(count)}}}));
  return true;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Window::Compute(
    const EvalContext& context, std::vector<std::shared_ptr<arrow::RecordBatch>> batches) const {
  ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(batches));
  batches.clear();
  ARROW_ASSIGN_OR_RAISE(auto rows, table->CombineChunksToBatch(context.pool));
  ARROW_ASSIGN_OR_RAISE(const SortedPartitions sorted,
                        SortPartitions(context, plan_, codec_, rows));
  std::vector<std::shared_ptr<arrow::Array>> columns = sorted.rows->columns();
  for (const WindowCallPlan& call : plan_.calls) {
    ARROW_ASSIGN_OR_RAISE(auto column, ComputeCall(context, call, sorted));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, sorted.num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Array>> Window::ComputeCall(
    const EvalContext& context, const WindowCallPlan& call, const SortedPartitions& sorted) const {
  using Kind = WindowCallPlan::Kind;
  if (call.kind == Kind::kRanking) {
    return ComputeRanking(call.function, call.number, sorted, context.pool);
  }
  std::vector<std::shared_ptr<arrow::Array>> args;
  for (const CompiledExprPtr& arg : call.args) {
    ARROW_ASSIGN_OR_RAISE(auto column, arg->Evaluate(context, *sorted.rows));
    args.push_back(std::move(column));
  }
  if (call.kind == Kind::kOffset) {
    return ValuesAtOffset(args[0], args[1], call.number, call.ignore_nulls, sorted);
  }
  ARROW_ASSIGN_OR_RAISE(const Frames frames, FramesOf(context, plan_, call.frame, sorted));
  if (call.kind == Kind::kFrameValue) {
    return ValuesInFrame(args[0], call.number, call.ignore_nulls, frames);
  }
  return AggregateFrames(*call.kernel, args, frames, context.pool);
}

}  // namespace tidemill::worker
