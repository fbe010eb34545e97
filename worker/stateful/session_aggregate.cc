#include "worker/stateful/session_aggregate.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

using connectors::OutputMode;

namespace {

// Columns of the table.
constexpr int kStart = 0;
constexpr int kEnd = 1;
constexpr int kFirstAccumulator = 2;

std::vector<std::shared_ptr<arrow::DataType>> OtherKeys(const SessionAggregatePlan& plan) {
  auto types = plan.key_types;
  types.erase(types.begin() + plan.session_key);
  return types;
}

}  // namespace

SessionAggregate::SessionAggregate(SessionAggregatePlan plan, std::shared_ptr<arrow::Schema> schema,
                                   OperatorStates* states,
                                   std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)),
      schema_(std::move(schema)),
      states_(states),
      codec_(std::move(codec)),
      accumulators_(plan_.kernels, kFirstAccumulator),
      expiry_(states, ExpiryIndex::OfValues(kEnd)),
      run_keys_({.keys = codec_, .is_transactional = false}) {}

std::vector<std::shared_ptr<arrow::DataType>> SessionAggregate::KeyTypes(
    const SessionAggregatePlan& plan) {
  return RowStore::KeyTypes(OtherKeys(plan));
}

std::vector<std::shared_ptr<arrow::DataType>> SessionAggregate::ValueTypes(
    const SessionAggregatePlan& plan) {
  const auto& session = *plan.key_types[plan.session_key];
  std::vector<std::shared_ptr<arrow::DataType>> types{session.field(0)->type(),
                                                      session.field(1)->type()};
  const auto accumulators = Accumulators::TypesOf(plan.kernels);
  types.insert(types.end(), accumulators.begin(), accumulators.end());
  return types;
}

arrow::Result<std::unique_ptr<SessionAggregate>> SessionAggregate::Make(
    SessionAggregatePlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states) {
  if (plan.output_mode == OutputMode::kUpdate) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                     fmt::format("sessions in update mode: operator={}", plan.operator_id));
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(KeyTypes(plan)));
  return std::unique_ptr<SessionAggregate>(
      new SessionAggregate(std::move(plan), std::move(schema), states, std::move(codec)));
}

void SessionAggregate::Begin(const EpochInfo& epoch) { watermark_ = epoch.Find(plan_.operator_id); }

void SessionAggregate::Report(EpochCounters* counters) const {
  counters->operators[plan_.operator_id].Add(counters_);
}

void SessionAggregate::Reset() {
  emissions_.clear();
  epoch_first_rows_.clear();
  counters_ = {};
}

arrow::Status SessionAggregate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (watermark_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(rows, DropLate(std::move(rows), {plan_.session_key, 0},
                                         watermark_->late_us, &counters_.rows_dropped_late));
  }
  const int64_t length = rows.batch->num_rows();
  if (length == 0) return arrow::Status::OK();
  const auto& columns = rows.batch->columns();
  std::vector<std::shared_ptr<arrow::Array>> keys(columns.begin(),
                                                  columns.begin() + plan_.key_types.size());
  const auto& session = static_cast<const arrow::StructArray&>(*keys[plan_.session_key]);
  const auto start = session.field(0);
  const auto end = session.field(1);
  TIDEMILL_CHECK(session.null_count() == 0 && end->null_count() == 0);  // The plan filters them.
  const Times times{static_cast<const arrow::TimestampArray&>(*start).raw_values(),
                    static_cast<const arrow::TimestampArray&>(*end).raw_values()};
  keys.erase(keys.begin() + plan_.session_key);
  ARROW_RETURN_NOT_OK(RowStore::EncodeKeys(*codec_, std::move(keys), length, &keys_));
  key_of_row_.resize(length);
  first_session_.resize(length);
  for (const GroupRun& run : rows.runs) ARROW_RETURN_NOT_OK(MergeRun(*rows.batch, times, run));
  return arrow::Status::OK();
}

arrow::Status SessionAggregate::MergeRun(const arrow::RecordBatch& batch, const Times& times,
                                         const GroupRun& run) {
  state::HotTable* table = states_->Find(plan_.operator_id, run.key_group);
  TIDEMILL_CHECK(table != nullptr);
  epoch_first_rows_.try_emplace(run.key_group, table->num_rows());
  RowStore& store = stores_.try_emplace(run.key_group, codec_).first->second;
  store.Attach(table, states_->version());
  CollectParts(times, run, &store);
  FindClusters();
  PlaceClusters(&store);
  ARROW_RETURN_NOT_OK(MergeParts(batch, run, table));
  WriteTimes(run.key_group, table);
  return arrow::Status::OK();
}

// All sessions of the run's keys, and the run's rows, sorted by key and start.
void SessionAggregate::CollectParts(const Times& times, const GroupRun& run, RowStore* store) {
  const state::HotTable& table = store->table();
  const int64_t* starts = table.column(kStart).values<int64_t>();
  const int64_t* ends = table.column(kEnd).values<int64_t>();
  run_keys_.Clear();
  run_keys_.FindOrInsert(keys_, run.begin, run.end, key_of_row_.data() + run.begin, nullptr);
  store->FindFirst(keys_, run.begin, run.end, first_session_.data() + run.begin);
  parts_.clear();
  uint32_t keys_seen = 0;
  for (int32_t row = run.begin; row < run.end; ++row) {
    const uint32_t key = key_of_row_[row];
    parts_.push_back({key, times.starts[row], times.ends[row], true, static_cast<uint32_t>(row)});
    if (key < keys_seen) continue;
    keys_seen = key + 1;
    for (uint32_t session = first_session_[row]; session != RowStore::kNoRow;
         session = store->Next(session)) {
      parts_.push_back({key, starts[session], ends[session], false, session});
    }
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    return std::tie(a.key, a.start, a.is_input, a.row) <
           std::tie(b.key, b.start, b.is_input, b.row);
  });
}

// Leaves out sessions of the state that nothing has reached.
void SessionAggregate::FindClusters() {
  clusters_.clear();
  for (size_t begin = 0; begin < parts_.size();) {
    Cluster cluster{begin, begin + 1, parts_[begin].end};
    bool has_input = parts_[begin].is_input;
    for (; cluster.end < parts_.size(); ++cluster.end) {
      const Part& part = parts_[cluster.end];
      if (part.key != parts_[begin].key || part.start > cluster.end_time) break;
      cluster.end_time = std::max(cluster.end_time, part.end);
      has_input = has_input || part.is_input;
    }
    if (has_input) clusters_.push_back(cluster);
    begin = cluster.end;
  }
}

// A cluster that begins with a session of the state goes on with its row, others get a new one.
void SessionAggregate::PlaceClusters(RowStore* store) {
  picked_.clear();
  std::vector<uint32_t> continued;
  for (const Cluster& cluster : clusters_) {
    const Part& first = parts_[cluster.begin];
    (first.is_input ? picked_ : continued).push_back(first.row);
  }
  store->table().Touch(continued);
  std::vector<uint32_t> added(picked_.size());
  store->Insert(keys_, picked_, added.data());
  size_t next_added = 0;
  for (Cluster& cluster : clusters_) {
    const Part& first = parts_[cluster.begin];
    cluster.target = first.is_input ? added[next_added++] : first.row;
  }
}

arrow::Status SessionAggregate::MergeParts(const arrow::RecordBatch& batch, const GroupRun& run,
                                           state::HotTable* table) {
  const auto length = static_cast<uint32_t>(run.end - run.begin);
  Merges merges;
  for (const Cluster& cluster : clusters_) {
    for (size_t i = cluster.begin; i < cluster.end; ++i) {
      const Part& part = parts_[i];
      if (!part.is_input && i == cluster.begin) continue;  // It is the target.
      if (part.is_input) {
        merges.sources.push_back(part.row - static_cast<uint32_t>(run.begin));
      } else {
        merges.sources.push_back(length + static_cast<uint32_t>(merges.folded.size()));
        merges.folded.push_back(part.row);
      }
      merges.targets.push_back(cluster.target);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto folded,
                        table->ValueArrays(merges.folded, arrow::default_memory_pool()));
  arrow::UInt32Array order(static_cast<int64_t>(merges.sources.size()),
                           arrow::Buffer::Wrap(merges.sources));
  std::vector<std::shared_ptr<arrow::Array>> partial;
  const auto first = static_cast<int>(plan_.key_types.size());
  for (int column = first; column < batch.num_columns(); ++column) {
    std::shared_ptr<arrow::Array> values = batch.column(column)->Slice(run.begin, length);
    if (!merges.folded.empty()) {
      // Elements of a list may have another name there.
      const auto kept = folded[column - first + kFirstAccumulator]->data()->Copy();
      kept->type = values->type();
      ARROW_ASSIGN_OR_RAISE(values, arrow::Concatenate({values, arrow::MakeArray(kept)}));
    }
    ARROW_ASSIGN_OR_RAISE(values, arrow::compute::Take(*values, order));
    partial.push_back(std::move(values));
  }
  ARROW_RETURN_NOT_OK(
      accumulators_.Merge(partial, 0, order.length(), merges.targets.data(), table));
  table->Erase(merges.folded);
  const uint32_t first_new = epoch_first_rows_.at(run.key_group);
  counters_.rows_removed += std::count_if(merges.folded.begin(), merges.folded.end(),
                                          [&](uint32_t row) { return row < first_new; });
  return arrow::Status::OK();
}

void SessionAggregate::WriteTimes(uint32_t key_group, state::HotTable* table) {
  state::StateColumn& starts = table->column(kStart);
  state::StateColumn& ends = table->column(kEnd);
  TimeIndex* index = expiry_.Writable(key_group, *table);
  for (const Cluster& cluster : clusters_) {
    const uint32_t row = cluster.target;
    starts.values<int64_t>()[row] = parts_[cluster.begin].start;
    starts.validity()[row] = 1;
    if (ends.validity()[row] != 0 && ends.values<int64_t>()[row] == cluster.end_time) continue;
    ends.values<int64_t>()[row] = cluster.end_time;
    ends.validity()[row] = 1;
    if (index != nullptr) index->Add(cluster.end_time, row);
  }
}

arrow::Status SessionAggregate::BeginEmission(uint32_t key_group, state::HotTable* table,
                                              GroupEmission* emission) {
  const auto changed = table->changed_rows();
  counters_.rows_updated += std::count_if(changed.begin(), changed.end(),
                                          [&](uint32_t row) { return table->is_live(row); });
  if (plan_.output_mode == OutputMode::kComplete) {
    emission->BeginAll();
    return arrow::Status::OK();
  }
  std::vector<uint32_t> expired;
  if (watermark_ != nullptr) {
    const int64_t eviction_us = watermark_->eviction_us;
    ARROW_ASSIGN_OR_RAISE(expired, expiry_.TakeUpTo(key_group, *table, eviction_us));
    // A session that has grown stands there with its earlier ends, too.
    const int64_t* ends = table->column(kEnd).values<int64_t>();
    std::erase_if(expired, [&](uint32_t row) { return ends[row] > eviction_us; });
    std::sort(expired.begin(), expired.end());
    expired.erase(std::unique(expired.begin(), expired.end()), expired.end());
  }
  emission->BeginRows(std::move(expired));
  return arrow::Status::OK();
}

arrow::Result<bool> SessionAggregate::EmitNext(const EvalContext& context, uint32_t key_group,
                                               RowConsumer* out) {
  state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  if (table == nullptr) return false;
  GroupEmission& emission = emissions_[key_group];
  if (!emission.has_begun()) ARROW_RETURN_NOT_OK(BeginEmission(key_group, table, &emission));
  emission.Pick(*table, &emitted_);
  if (emitted_.empty()) return false;
  ARROW_RETURN_NOT_OK(EmitPicked(context, *table, key_group, out));
  if (plan_.output_mode == OutputMode::kComplete) return true;
  table->Erase(emitted_);
  counters_.rows_removed += static_cast<int64_t>(emitted_.size());
  return true;
}

arrow::Status SessionAggregate::EmitPicked(const EvalContext& context, const state::HotTable& table,
                                           uint32_t key_group, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto columns, table.KeyArrays(emitted_, context.pool));
  columns.pop_back();  // the sequence
  ARROW_ASSIGN_OR_RAISE(const auto values, table.ValueArrays(emitted_, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto session,
                        arrow::StructArray::Make({values[kStart], values[kEnd]},
                                                 plan_.key_types[plan_.session_key]->fields()));
  columns.insert(columns.begin() + plan_.session_key, std::move(session));
  ARROW_RETURN_NOT_OK(
      accumulators_.Finish(std::span(values).subspan(kFirstAccumulator), context.pool, &columns));
  const auto length = static_cast<int64_t>(emitted_.size());
  return out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                       {GroupRun{key_group, 0, static_cast<int32_t>(length)}}});
}

}  // namespace tidemill::worker
