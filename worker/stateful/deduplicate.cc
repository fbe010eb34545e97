#include "worker/stateful/deduplicate.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <span>
#include <utility>

#include "common/base/check.h"
#include "worker/operators/row_filter.h"

namespace tidemill::worker {

Deduplicate::Deduplicate(DeduplicatePlan plan, OperatorStates* states,
                         std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)),
      states_(states),
      codec_(std::move(codec)),
      expires_(plan_.delay_us || plan_.event_key.exists()),
      expiry_(states,
              plan_.delay_us ? ExpiryIndex::OfValues(0) : ExpiryIndex::OfKeys(plan_.event_key)),
      ttl_(states, 0, plan_.ttl_us) {}

arrow::Result<std::unique_ptr<Deduplicate>> Deduplicate::Make(DeduplicatePlan plan,
                                                              OperatorStates* states) {
  if (plan.delay_us && !plan.event_time.exists()) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID", "deduplication within no watermark");
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan.key_types));
  return std::unique_ptr<Deduplicate>(new Deduplicate(std::move(plan), states, std::move(codec)));
}

void Deduplicate::Begin(const EpochInfo& epoch) {
  watermark_ = epoch.Find(plan_.operator_id);
  ttl_.Begin(epoch.epoch_time_us);
}

void Deduplicate::Report(EpochCounters* counters) const {
  EpochCounters::OfOperator& all = counters->operators[plan_.operator_id];
  all.Add(counters_);
  all.custom["numDroppedDuplicateRows"] += duplicates_;
}

void Deduplicate::Reset() {
  ttl_.Reset();
  counters_ = {};
  duplicates_ = 0;
}

arrow::Status Deduplicate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (watermark_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(rows, DropLate(std::move(rows), plan_.event_time, watermark_->late_us,
                                         &counters_.rows_dropped_late));
  }
  const int64_t length = rows.batch->num_rows();
  if (length == 0) return arrow::Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int column : plan_.key_columns) keys.push_back(rows.batch->column(column));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, length, &keys_));
  target_.resize(length);
  is_new_.resize(length);
  std::optional<EventTimes> times;
  if (plan_.delay_us) {
    times.emplace(rows.batch->column(plan_.event_time.column), plan_.event_time.span_us);
  } else if (plan_.event_key.exists()) {
    times.emplace(keys[plan_.event_key.column], plan_.event_key.span_us);
  }
  for (const GroupRun& run : rows.runs) ARROW_RETURN_NOT_OK(AddKeys(run, times));

  arrow::BooleanBuilder passes;
  ARROW_RETURN_NOT_OK(passes.AppendValues(is_new_.data(), length));
  ARROW_ASSIGN_OR_RAISE(auto mask, passes.Finish());
  ARROW_ASSIGN_OR_RAISE(Rows first, KeepRows(std::move(rows), mask));
  duplicates_ += length - first.batch->num_rows();
  counters_.rows_updated += first.batch->num_rows();
  return out->Consume(std::move(first));
}

arrow::Status Deduplicate::AddKeys(const GroupRun& run, const std::optional<EventTimes>& times) {
  state::HotTable* table = states_->Find(plan_.operator_id, run.key_group);
  TIDEMILL_CHECK(table != nullptr);
  ARROW_RETURN_NOT_OK(table->AdmitCold(keys_, run.begin, run.end));
  ARROW_RETURN_NOT_OK(ttl_.Expire(run.key_group, table).status());
  table->FindOrInsert(keys_, run.begin, run.end, target_.data() + run.begin,
                      is_new_.data() + run.begin);
  for (int64_t row = run.begin; row < run.end && table->cold_rows() > 0; ++row)
    if (is_new_[row] == 0) table->Refer(target_[row]);
  const size_t length = run.end - run.begin;
  ttl_.Start(run.key_group, std::span(target_).subspan(run.begin, length),
             std::span(is_new_).subspan(run.begin, length), table);
  if (!expires_) return arrow::Status::OK();
  TimeIndex* index = expiry_.Writable(run.key_group, *table);
  for (int64_t row = run.begin; row < run.end; ++row) {
    if (is_new_[row] == 0) continue;
    if (plan_.delay_us) {
      const int64_t expires_at = (times->is_null(row) ? 0 : times->at(row)) + *plan_.delay_us;
      table->column(0).values<int64_t>()[target_[row]] = expires_at;
      table->column(0).validity()[target_[row]] = 1;
      if (index != nullptr) index->Add(expires_at, target_[row]);
    } else if (index != nullptr && !times->is_null(row)) {
      index->Add(times->at(row), target_[row]);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<bool> Deduplicate::EmitNext(const EvalContext& context, uint32_t key_group,
                                          RowConsumer* out) {
  state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  if (table == nullptr) return false;
  ARROW_ASSIGN_OR_RAISE(const int64_t over, ttl_.Expire(key_group, table));
  counters_.rows_removed += over;
  if (watermark_ == nullptr || !expires_) return false;
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint32_t> expired,
                        expiry_.TakeUpTo(key_group, *table, watermark_->eviction_us));
  table->Erase(expired);
  counters_.rows_removed += static_cast<int64_t>(expired.size());
  return false;
}

}  // namespace tidemill::worker
