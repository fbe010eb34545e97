#include "worker/operators/final_aggregate.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

namespace {

constexpr size_t kOutputRows = 1 << 14;

}  // namespace

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

arrow::Status FinalAggregate::EndInput(const EvalContext& context, RowConsumer* out) {
  if (plan_.key_types.empty()) ARROW_RETURN_NOT_OK(TouchGlobalRow());
  std::vector<uint32_t> rows;
  for (uint32_t group : states_->key_groups()) {
    const state::HotTable& table = *states_->Find(plan_.operator_id, group);
    if (plan_.output_mode == connectors::OutputMode::kComplete) {
      table.LiveRows(&rows);
    } else {
      const auto changed = table.changed_rows();
      rows.assign(changed.begin(), changed.end());
      std::erase_if(rows, [&table](uint32_t row) { return !table.is_live(row); });
    }
    ARROW_RETURN_NOT_OK(Emit(context, group, rows, table, out));
  }
  return arrow::Status::OK();
}

arrow::Status FinalAggregate::Emit(const EvalContext& context, uint32_t key_group,
                                   std::span<const uint32_t> rows, const state::HotTable& table,
                                   RowConsumer* out) const {
  for (size_t begin = 0; begin < rows.size(); begin += kOutputRows) {
    const auto piece = rows.subspan(begin, std::min(kOutputRows, rows.size() - begin));
    ARROW_ASSIGN_OR_RAISE(auto columns, table.KeyArrays(piece, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto accumulators, table.ValueArrays(piece, context.pool));
    size_t state_column = 0;
    for (const auto& kernel : plan_.kernels) {
      const size_t width = kernel->signature().state_types.size();
      ARROW_ASSIGN_OR_RAISE(
          auto result,
          kernel->Finish(std::span(accumulators).subspan(state_column, width), context.pool));
      columns.push_back(std::move(result));
      state_column += width;
    }
    const auto length = static_cast<int64_t>(piece.size());
    ARROW_RETURN_NOT_OK(out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                                      {GroupRun{key_group, 0, static_cast<int32_t>(length)}}}));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
