#include "worker/operators/final_aggregate.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

using connectors::OutputMode;

FinalAggregate::FinalAggregate(FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                               OperatorStates* states, std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)),
      schema_(std::move(schema)),
      states_(states),
      codec_(std::move(codec)) {}

arrow::Result<std::unique_ptr<FinalAggregate>> FinalAggregate::Make(
    FinalAggregatePlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states) {
  if (plan.output_mode == OutputMode::kAppend && !plan.event_key.exists()) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                     fmt::format("aggregation in append mode without a watermark: operator={}",
                                 plan.operator_id));
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan.key_types));
  return std::unique_ptr<FinalAggregate>(
      new FinalAggregate(std::move(plan), std::move(schema), states, std::move(codec)));
}

void FinalAggregate::Begin(const EpochInfo& epoch) { watermark_ = epoch.Find(plan_.operator_id); }

void FinalAggregate::Report(EpochCounters* counters) const {
  EpochCounters::OfOperator& all = counters->operators[plan_.operator_id];
  all.rows_dropped_late += counters_.rows_dropped_late;
  all.rows_removed += counters_.rows_removed;
}

void FinalAggregate::Reset() {
  emissions_.clear();
  counters_ = {};
}

arrow::Status FinalAggregate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (watermark_ != nullptr && plan_.output_mode != OutputMode::kComplete) {
    ARROW_ASSIGN_OR_RAISE(rows, DropLate(std::move(rows), plan_.event_key, watermark_->late_us,
                                         &counters_.rows_dropped_late));
    if (rows.batch->num_rows() == 0) return arrow::Status::OK();
  }
  const auto& columns = rows.batch->columns();
  const std::vector<std::shared_ptr<arrow::Array>> keys(columns.begin(),
                                                        columns.begin() + plan_.key_types.size());
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, rows.batch->num_rows(), &keys_));
  target_.resize(rows.batch->num_rows());
  is_new_.resize(rows.batch->num_rows());
  std::optional<EventTimes> times;
  if (plan_.event_key.exists()) {
    times.emplace(columns[plan_.event_key.column], plan_.event_key.span_us);
  }
  for (const GroupRun& run : rows.runs) {
    state::HotTable* table = states_->Find(plan_.operator_id, run.key_group);
    TIDEMILL_CHECK(table != nullptr);
    const size_t length = run.end - run.begin;
    table->FindOrInsert(keys_, run.begin, run.end, target_.data(), is_new_.data());
    TimeIndex& index = indexes_[run.key_group];
    if (times && index.is_current(*table, states_->version())) {
      for (size_t i = 0; i < length; ++i) {
        const auto row = run.begin + static_cast<int64_t>(i);
        if (is_new_[i] != 0 && !times->is_null(row)) index.Add(times->at(row), target_[i]);
      }
    }
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

// Adds all live rows: after a restore, an undone epoch or a renumbering.
arrow::Status FinalAggregate::Index(const state::HotTable& table, TimeIndex* index) const {
  index->Begin(table, states_->version());
  std::vector<uint32_t> live;
  table.LiveRows(&live);
  for (size_t begin = 0; begin < live.size(); begin += kEmitRows) {
    const auto rows =
        std::span(live).subspan(begin, std::min<size_t>(kEmitRows, live.size() - begin));
    ARROW_ASSIGN_OR_RAISE(auto keys, table.KeyArrays(rows, arrow::default_memory_pool()));
    const EventTimes times(keys[plan_.event_key.column], plan_.event_key.span_us);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      if (!times.is_null(row)) index->Add(times.at(row), rows[i]);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<uint32_t>> FinalAggregate::TakeExpired(uint32_t key_group,
                                                                 const state::HotTable& table) {
  std::vector<uint32_t> rows;
  if (!plan_.event_key.exists() || watermark_ == nullptr) return rows;
  TimeIndex& index = indexes_[key_group];
  if (!index.is_current(table, states_->version())) ARROW_RETURN_NOT_OK(Index(table, &index));
  index.TakeUpTo(watermark_->eviction_us, &rows);
  std::erase_if(rows, [&](uint32_t row) { return !table.is_live(row); });
  return rows;
}

void FinalAggregate::Evict(state::HotTable* table, std::span<const uint32_t> rows) {
  table->Erase(rows);
  counters_.rows_removed += static_cast<int64_t>(rows.size());
}

arrow::Status FinalAggregate::BeginEmission(uint32_t key_group, state::HotTable* table,
                                            Emission* emission) {
  emission->has_begun = true;
  if (key_group == 0 && plan_.key_types.empty()) ARROW_RETURN_NOT_OK(TouchGlobalRow());
  if (plan_.output_mode == OutputMode::kAppend) {
    ARROW_ASSIGN_OR_RAISE(emission->rows, TakeExpired(key_group, *table));
  } else if (plan_.output_mode == OutputMode::kUpdate) {
    for (const uint32_t row : table->changed_rows()) {
      if (table->is_live(row)) emission->rows.push_back(row);
    }
  }
  return arrow::Status::OK();
}

void FinalAggregate::PickRows(const state::HotTable& table, Emission* emission) {
  emitted_.clear();
  const bool is_complete = plan_.output_mode == OutputMode::kComplete;
  const size_t end = is_complete ? table.num_rows() : emission->rows.size();
  for (; emission->next < end && emitted_.size() < kEmitRows; ++emission->next) {
    const uint32_t row =
        is_complete ? static_cast<uint32_t>(emission->next) : emission->rows[emission->next];
    if (table.is_live(row)) emitted_.push_back(row);
  }
}

arrow::Result<bool> FinalAggregate::EmitNext(const EvalContext& context, uint32_t key_group,
                                             RowConsumer* out) {
  state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  if (table == nullptr) return false;
  Emission& emission = emissions_[key_group];
  if (!emission.has_begun) ARROW_RETURN_NOT_OK(BeginEmission(key_group, table, &emission));
  PickRows(*table, &emission);
  if (emitted_.empty()) {
    if (plan_.output_mode != OutputMode::kUpdate) return false;
    ARROW_ASSIGN_OR_RAISE(const std::vector<uint32_t> expired, TakeExpired(key_group, *table));
    Evict(table, expired);
    return false;
  }
  ARROW_RETURN_NOT_OK(EmitPicked(context, *table, key_group, out));
  if (plan_.output_mode == OutputMode::kAppend) Evict(table, emitted_);
  return true;
}

arrow::Status FinalAggregate::EmitPicked(const EvalContext& context, const state::HotTable& table,
                                         uint32_t key_group, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto columns, table.KeyArrays(emitted_, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto accumulators, table.ValueArrays(emitted_, context.pool));
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
  return out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                       {GroupRun{key_group, 0, static_cast<int32_t>(length)}}});
}

}  // namespace tidemill::worker
