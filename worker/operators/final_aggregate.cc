#include "worker/operators/final_aggregate.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <span>
#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

FinalAggregate::FinalAggregate(FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                               OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)),
      schema_(std::move(schema)),
      states_(states),
      codec_(std::move(codec)) {}

arrow::Result<std::unique_ptr<FinalAggregate>> FinalAggregate::Make(
    FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states) {
  if (plan.output_mode == connectors::OutputMode::kAppend) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                     fmt::format("aggregation in append mode without a watermark: operator={}",
                                 plan.operator_id));
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan.key_types));
  return std::unique_ptr<FinalAggregate>(
      new FinalAggregate(std::move(plan), std::move(schema), states, std::move(codec)));
}

arrow::Status FinalAggregate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  const auto& columns = rows.batch->columns();
  const std::vector<std::shared_ptr<arrow::Array>> keys(columns.begin(),
                                                        columns.begin() + plan_.key_types.size());
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, rows.batch->num_rows(), &keys_));
  target_.resize(rows.batch->num_rows());
  for (const GroupRun& run : rows.runs) {
    state::HotTable* table = states_->Find(plan_.operator_id, run.key_group);
    TIDEMILL_CHECK(table != nullptr);
    const size_t length = run.end - run.begin;
    table->FindOrInsert(keys_, run.begin, run.end, target_.data(), nullptr);
    table->Touch(std::span(target_.data(), length));
    size_t input_column = plan_.key_types.size();
    int state_column = 0;
    for (const auto& kernel : plan_.kernels) {
      const size_t width = kernel->signature().state_types.size();
      ARROW_RETURN_NOT_OK(kernel->Merge(std::span(columns).subspan(input_column, width), run.begin,
                                        run.end, target_.data(), &table->column(state_column)));
      input_column += width;
      state_column += static_cast<int>(width);
    }
  }
  return arrow::Status::OK();
}

arrow::Status FinalAggregate::TouchGlobalRow() {
  state::HotTable* table = states_->Find(plan_.operator_id, 0);
  if (table == nullptr) return arrow::Status::OK();  // Another slot owns it.
  ARROW_RETURN_NOT_OK(codec_->Encode({}, 1, &keys_));
  uint32_t row = 0;
  table->FindOrInsert(keys_, 0, 1, &row, nullptr);
  table->Touch({&row, 1});
  return arrow::Status::OK();
}

void FinalAggregate::PickRows(const state::HotTable& table, uint32_t* next) {
  emitted_.clear();
  const bool is_complete = plan_.output_mode == connectors::OutputMode::kComplete;
  const auto changed = table.changed_rows();
  const auto end = is_complete ? table.num_rows() : static_cast<uint32_t>(changed.size());
  for (; *next < end && emitted_.size() < kEmitRows; ++*next) {
    const uint32_t row = is_complete ? *next : changed[*next];
    if (table.is_live(row)) emitted_.push_back(row);
  }
}

arrow::Result<bool> FinalAggregate::EmitNext(const EvalContext& context, uint32_t key_group,
                                             RowConsumer* out) {
  const state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  if (table == nullptr) return false;
  uint32_t& next = next_[key_group];
  if (key_group == 0 && next == 0 && plan_.key_types.empty()) ARROW_RETURN_NOT_OK(TouchGlobalRow());
  PickRows(*table, &next);
  if (emitted_.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(auto columns, table->KeyArrays(emitted_, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto accumulators, table->ValueArrays(emitted_, context.pool));
  size_t state_column = 0;
  for (const auto& kernel : plan_.kernels) {
    const size_t width = kernel->signature().state_types.size();
    ARROW_ASSIGN_OR_RAISE(
        auto result,
        kernel->Finish(std::span(accumulators).subspan(state_column, width), context.pool));
    columns.push_back(std::move(result));
    state_column += width;
  }
  const auto length = static_cast<int64_t>(emitted_.size());
  ARROW_RETURN_NOT_OK(out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                                    {GroupRun{key_group, 0, static_cast<int32_t>(length)}}}));
  return true;
}

}  // namespace tidemill::worker
