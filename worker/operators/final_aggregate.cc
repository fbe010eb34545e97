#include "worker/operators/final_aggregate.h"

#include <arrow/array.h>
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
      codec_(std::move(codec)),
      accumulators_(plan_.kernels),
      expiry_(states, ExpiryIndex::OfKeys(plan_.event_key)),
      ttl_(states, static_cast<int>(Accumulators::TypesOf(plan_.kernels).size()), plan_.ttl_us) {}

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

void FinalAggregate::Begin(const EpochInfo& epoch) {
  watermark_ = epoch.Find(plan_.operator_id);
  ttl_.Begin(epoch.epoch_time_us);
}

void FinalAggregate::Report(EpochCounters* counters) const {
  counters->operators[plan_.operator_id].Add(counters_);
}

void FinalAggregate::Reset() {
  emissions_.clear();
  ttl_.Reset();
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
    ARROW_RETURN_NOT_OK(table->AdmitCold(keys_, run.begin, run.end));
    ARROW_RETURN_NOT_OK(ttl_.Expire(run.key_group, table).status());
    table->FindOrInsert(keys_, run.begin, run.end, target_.data(), is_new_.data());
    TimeIndex* index = times ? expiry_.Writable(run.key_group, *table) : nullptr;
    for (size_t i = 0; index != nullptr && i < length; ++i) {
      const auto row = run.begin + static_cast<int64_t>(i);
      if (is_new_[i] != 0 && !times->is_null(row)) index->Add(times->at(row), target_[i]);
    }
    table->Touch(std::span(target_.data(), length));
    ARROW_RETURN_NOT_OK(accumulators_.Merge(std::span(columns).subspan(plan_.key_types.size()),
                                            run.begin, run.end, target_.data(), table));
    ttl_.Renew(run.key_group, std::span(target_.data(), length), is_new_, table);
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

arrow::Result<std::vector<uint32_t>> FinalAggregate::TakeExpired(uint32_t key_group,
                                                                 const state::HotTable& table) {
  if (!plan_.event_key.exists() || watermark_ == nullptr) return std::vector<uint32_t>();
  return expiry_.TakeUpTo(key_group, table, watermark_->eviction_us);
}

void FinalAggregate::Evict(state::HotTable* table, std::span<const uint32_t> rows) {
  table->Erase(rows);
  counters_.rows_removed += static_cast<int64_t>(rows.size());
}

arrow::Status FinalAggregate::BeginEmission(uint32_t key_group, state::HotTable* table,
                                            GroupEmission* emission) {
  if (key_group == 0 && plan_.key_types.empty()) ARROW_RETURN_NOT_OK(TouchGlobalRow());
  ARROW_ASSIGN_OR_RAISE(const int64_t expired, ttl_.Expire(key_group, table));
  counters_.rows_removed += expired;
  counters_.rows_updated += static_cast<int64_t>(table->changed_rows().size()) - expired;
  if (plan_.output_mode == OutputMode::kComplete) {
    TIDEMILL_CHECK(table->cold_rows() == 0);  // StatefulOperator::is_evictable
    emission->BeginAll();
  } else if (plan_.output_mode == OutputMode::kAppend) {
    ARROW_ASSIGN_OR_RAISE(auto expired, TakeExpired(key_group, *table));
    emission->BeginRows(std::move(expired));
  } else {
    const auto changed = table->changed_rows();
    emission->BeginRows({changed.begin(), changed.end()});
  }
  return arrow::Status::OK();
}

arrow::Result<bool> FinalAggregate::EmitNext(const EvalContext& context, uint32_t key_group,
                                             RowConsumer* out) {
  state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  if (table == nullptr) return false;
  GroupEmission& emission = emissions_[key_group];
  if (!emission.has_begun()) ARROW_RETURN_NOT_OK(BeginEmission(key_group, table, &emission));
  emission.Pick(*table, &emitted_);
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
  if (plan_.ttl_us > 0) accumulators.pop_back();
  ARROW_RETURN_NOT_OK(accumulators_.Finish(accumulators, context.pool, &columns));
  const auto length = static_cast<int64_t>(emitted_.size());
  return out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                       {GroupRun{key_group, 0, static_cast<int32_t>(length)}}});
}

}  // namespace tidemill::worker
