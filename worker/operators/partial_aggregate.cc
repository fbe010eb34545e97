#include "worker/operators/partial_aggregate.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "worker/aggregates/accumulators.h"

namespace tidemill::worker {

namespace {

constexpr int64_t kOutputRows = 1 << 15;

}  // namespace

PartialAggregate::PartialAggregate(PartialAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                                   std::shared_ptr<const state::KeyCodec> codec,
                                   state::HotTable::Options options)
    : plan_(std::move(plan)),
      schema_(std::move(schema)),
      codec_(std::move(codec)),
      table_(options) {
  for (auto& type : options.values) row_columns_.emplace_back(std::move(type));
}

arrow::Result<std::unique_ptr<PartialAggregate>> PartialAggregate::Make(
    PartialAggregatePlan plan, std::shared_ptr<arrow::Schema> schema) {
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan.key_types));
  state::HotTable::Options options{
      .keys = codec, .values = Accumulators::TypesOf(plan.kernels), .is_transactional = false};
  return std::unique_ptr<PartialAggregate>(new PartialAggregate(
      std::move(plan), std::move(schema), std::move(codec), std::move(options)));
}

void PartialAggregate::Reset() {
  table_.Clear();
  rows_in_table_ = 0;
  has_sampled_ = false;
  passes_rows_ = false;
}

// Behind an exchange rows stay with their key groups, each a lane of its own: nothing may wait for
// the next batch.
arrow::Status PartialAggregate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (passes_rows_) return PassRows(context, *rows.batch, out);
  if (!plan_.is_per_batch) return Add(context, *rows.batch);
  if (rows.runs.empty()) {
    ARROW_RETURN_NOT_OK(Add(context, *rows.batch));
    return Flush(context, {}, out);
  }
  for (const GroupRun& run : rows.runs) {
    const int32_t length = run.end - run.begin;
    ARROW_RETURN_NOT_OK(Add(context, *rows.batch->Slice(run.begin, length)));
    ARROW_RETURN_NOT_OK(Flush(context, run.key_group, out));
  }
  return arrow::Status::OK();
}

arrow::Result<PartialAggregate::Columns> PartialAggregate::KeysOf(
    const EvalContext& context, const arrow::RecordBatch& batch) const {
  Columns keys;
  for (const CompiledExprPtr& key : plan_.keys) {
    ARROW_ASSIGN_OR_RAISE(auto column, key->Evaluate(context, batch));
    keys.push_back(std::move(column));
  }
  return keys;
}

arrow::Status PartialAggregate::Add(const EvalContext& context, const arrow::RecordBatch& batch) {
  const int64_t num_rows = batch.num_rows();
  ARROW_ASSIGN_OR_RAISE(const Columns keys, KeysOf(context, batch));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, num_rows, &keys_));
  target_.resize(num_rows);
  table_.FindOrInsert(keys_, 0, num_rows, target_.data(), nullptr);
  rows_in_table_ += num_rows;
  return Update(context, batch, table_.num_columns() == 0 ? nullptr : &table_.column(0));
}

arrow::Status PartialAggregate::PassRows(const EvalContext& context,
                                         const arrow::RecordBatch& batch, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(Columns columns, KeysOf(context, batch));
  target_.resize(batch.num_rows());
  std::iota(target_.begin(), target_.end(), 0);
  for (state::StateColumn& column : row_columns_) {
    column.Clear();
    column.AddRows(static_cast<uint32_t>(batch.num_rows()));
  }
  ARROW_RETURN_NOT_OK(Update(context, batch, row_columns_.data()));
  for (const state::StateColumn& column : row_columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, column.ToArray(target_, context.pool));
    columns.push_back(std::move(array));
  }
  return out->Consume(
      {arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)), {}});
}

arrow::Status PartialAggregate::Update(const EvalContext& context, const arrow::RecordBatch& batch,
                                       state::StateColumn* accumulators) {
  for (size_t i = 0; i < plan_.kernels.size(); ++i) {
    const AggregateKernel& kernel = *plan_.kernels[i];
    const uint32_t* target = target_.data();
    const arrow::RecordBatch* rows = &batch;
    std::shared_ptr<arrow::RecordBatch> kept;
    if (plan_.filters[i] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(kept, KeepRows(context, *plan_.filters[i], batch));
      target = kept_target_.data();
      rows = kept.get();
    }
    Columns inputs;
    for (const CompiledExprPtr& input : plan_.inputs[i]) {
      ARROW_ASSIGN_OR_RAISE(auto column, input->Evaluate(context, *rows));
      inputs.push_back(std::move(column));
    }
    ARROW_RETURN_NOT_OK(kernel.Update(inputs, 0, rows->num_rows(), target, accumulators));
    accumulators += kernel.signature().state_types.size();
  }
  return arrow::Status::OK();
}

// Inputs are evaluated on the rows that pass alone: `sum(1 / x) FILTER (WHERE x != 0)` divides by
// no zero.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PartialAggregate::KeepRows(
    const EvalContext& context, const CompiledExpr& filter, const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(auto condition, filter.Evaluate(context, batch));
  const auto& keeps = static_cast<const arrow::BooleanArray&>(*condition);
  kept_target_.clear();
  for (int64_t i = 0; i < keeps.length(); ++i) {
    if (keeps.IsValid(i) && keeps.Value(i)) kept_target_.push_back(target_[i]);
  }
  arrow::compute::ExecContext compute(context.pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum kept,
      arrow::compute::Filter(batch.Slice(0), condition, arrow::compute::FilterOptions::Defaults(),
                             &compute));
  return kept.record_batch();
}

arrow::Status PartialAggregate::EndChunk(const EvalContext& context, RowConsumer* out) {
  if (!has_sampled_ && table_.size() >= kSampleGroups) {
    has_sampled_ = true;
    passes_rows_ = rows_in_table_ < table_.size() + table_.size() / 8;
  }
  const bool is_full = passes_rows_ || table_.size() >= kFlushGroups;
  return is_full ? Flush(context, {}, out) : arrow::Status::OK();
}

arrow::Status PartialAggregate::EndInput(const EvalContext& context, RowConsumer* out) {
  return Flush(context, {}, out);
}

arrow::Status PartialAggregate::Flush(const EvalContext& context, std::optional<uint32_t> key_group,
                                      RowConsumer* out) {
  std::vector<uint32_t> live;
  table_.LiveRows(&live);
  for (size_t begin = 0; begin < live.size(); begin += kOutputRows) {
    const auto rows =
        std::span(live).subspan(begin, std::min<size_t>(kOutputRows, live.size() - begin));
    ARROW_ASSIGN_OR_RAISE(auto columns, table_.KeyArrays(rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto values, table_.ValueArrays(rows, context.pool));
    columns.insert(columns.end(), values.begin(), values.end());
    auto batch =
        arrow::RecordBatch::Make(schema_, static_cast<int64_t>(rows.size()), std::move(columns));
    std::vector<GroupRun> runs;
    if (key_group) runs.push_back({*key_group, 0, static_cast<int32_t>(rows.size())});
    ARROW_RETURN_NOT_OK(out->Consume({std::move(batch), std::move(runs)}));
  }
  table_.Clear();
  rows_in_table_ = 0;
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
