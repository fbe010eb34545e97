#include "worker/stateful/keyed_process.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "state/table/column_writer.h"

namespace tidemill::worker {

namespace {

// Columns of the table.
constexpr int kTimer = 0;    // NULL in the row of a state
constexpr int kExpires = 1;  // NULL in the row of a timer, and where states live for ever
constexpr int kFirstState = 2;

std::vector<std::shared_ptr<arrow::DataType>> TypesOf(const arrow::Schema& schema) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const auto& field : schema.fields()) types.push_back(field->type());
  return types;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<int64_t>& rows) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(rows));
  ARROW_ASSIGN_OR_RAISE(const auto indices, builder.Finish());
  ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(batch, indices));
  return taken.record_batch();
}

std::vector<uint32_t> Iota(size_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

void WriteTime(state::StateColumn* column, uint32_t row, int64_t time) {
  column->values<int64_t>()[row] = time;
  column->validity()[row] = 1;
}

// The order of the rows of a call: by key, and within a key as `before` says of two rows. `ends`
// are where the rows of each key end.
template <class Before>
std::vector<int64_t> ByKey(const std::vector<uint32_t>& key_of_row, int64_t keys,
                           const Before& before, std::vector<int64_t>* ends) {
  std::vector<int64_t> order(key_of_row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return key_of_row[a] != key_of_row[b] ? key_of_row[a] < key_of_row[b] : before(a, b);
  });
  ends->assign(keys, 0);
  for (const uint32_t key : key_of_row) ++(*ends)[key];
  std::partial_sum(ends->begin(), ends->end(), ends->begin());
  return order;
}

// The first row of each key.
std::vector<int64_t> FirstRows(const std::vector<uint32_t>& key_of_row) {
  std::vector<int64_t> first;
  for (size_t row = 0; row < key_of_row.size(); ++row) {
    if (key_of_row[row] == first.size()) first.push_back(static_cast<int64_t>(row));
  }
  return first;
}

}  // namespace

KeyedProcess::KeyedProcess(KeyedProcessPlan plan, std::shared_ptr<const state::KeyCodec> codec,
                           OperatorStates* states)
    : plan_(std::move(plan)),
      codec_(std::move(codec)),
      states_(states),
      function_(plan_.make_function()),
      timers_(states, ExpiryIndex::OfValues(kTimer)),
      lives_(states, ExpiryIndex::OfValues(kExpires)),
      numbering_({.keys = codec_, .values = {}, .is_transactional = false}) {}

arrow::Result<std::unique_ptr<KeyedProcess>> KeyedProcess::Make(KeyedProcessPlan plan,
                                                                OperatorStates* states) {
  ARROW_ASSIGN_OR_RAISE(auto codec,
                        state::KeyCodec::Make(RowStore::KeyTypes(TypesOf(*plan.key_schema))));
  return std::unique_ptr<KeyedProcess>(new KeyedProcess(std::move(plan), std::move(codec), states));
}

StatefulOperator KeyedProcess::StateOf(const KeyedProcessPlan& plan) {
  StatefulOperator entry{plan.operator_id,
                         "transformWithStateExec",
                         RowStore::KeyTypes(TypesOf(*plan.key_schema)),
                         {arrow::int64(), arrow::int64()},
                         false};
  const auto state_types = TypesOf(*plan.state_schema);
  entry.value_types.insert(entry.value_types.end(), state_types.begin(), state_types.end());
  return entry;
}

void KeyedProcess::Begin(const EpochInfo& epoch) {
  watermark_ = epoch.Find(plan_.operator_id);
  epoch_time_us_ = epoch.epoch_time_us;
}

void KeyedProcess::Report(EpochCounters* counters) const {
  counters->operators[plan_.operator_id].Add(counters_);
}

void KeyedProcess::Reset() {
  batches_.clear();
  steps_.clear();
  counters_ = {};
}

arrow::Status KeyedProcess::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (watermark_ != nullptr && plan_.clock == TimerClock::kEventTime) {
    ARROW_ASSIGN_OR_RAISE(rows, DropLate(std::move(rows), plan_.event_time, watermark_->late_us,
                                         &counters_.rows_dropped_late));
  }
  for (const GroupRun& run : rows.runs) {
    batches_[run.key_group].push_back(rows.batch->Slice(run.begin, run.end - run.begin));
  }
  return arrow::Status::OK();
}

arrow::Result<bool> KeyedProcess::EmitNext(const EvalContext& context, uint32_t key_group,
                                           RowConsumer* out) {
  if (states_->Find(plan_.operator_id, key_group) == nullptr) return false;
  Step& step = steps_[key_group];
  bool has_emitted = false;
  while (!has_emitted && step != Step::kDone) {
    switch (std::exchange(step, static_cast<Step>(static_cast<int>(step) + 1))) {
      case Step::kRows: {
        ARROW_ASSIGN_OR_RAISE(has_emitted, CallForRows(context, key_group, out));
        break;
      }
      case Step::kTimers: {
        ARROW_ASSIGN_OR_RAISE(has_emitted, CallForTimers(context, key_group, out));
        break;
      }
      case Step::kForget:
        ARROW_RETURN_NOT_OK(Forget(key_group));
        break;
      case Step::kDone:
        break;
    }
  }
  return has_emitted;
}

RowStore* KeyedProcess::StoreOf(uint32_t key_group) {
  state::HotTable* table = states_->Find(plan_.operator_id, key_group);
  TIDEMILL_CHECK(table != nullptr);
  RowStore& store = stores_.try_emplace(key_group, codec_).first->second;
  store.Attach(table, states_->version());
  return &store;
}

arrow::Result<bool> KeyedProcess::CallForRows(const EvalContext& context, uint32_t key_group,
                                              RowConsumer* out) {
  auto& batches = batches_[key_group];
  if (batches.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(const auto rows, arrow::ConcatenateRecordBatches(batches, context.pool));
  batches.clear();
  ARROW_ASSIGN_OR_RAISE(const auto keys, rows->SelectColumns(plan_.key_columns));
  ARROW_RETURN_NOT_OK(RowStore::EncodeKeys(*codec_, keys->columns(), rows->num_rows(), &keys_));
  std::vector<uint32_t> key_of_row(rows->num_rows());
  numbering_.Clear();
  numbering_.FindOrInsert(keys_, 0, rows->num_rows(), key_of_row.data(), nullptr);
  KeyedCall call;
  const auto order = ByKey(
      key_of_row, numbering_.num_rows(), [](int64_t, int64_t) { return false; }, &call.row_ends);
  call.timer_ends.assign(call.row_ends.size(), 0);
  ARROW_ASSIGN_OR_RAISE(call.rows, TakeRows(rows, order));
  ARROW_ASSIGN_OR_RAISE(call.keys, TakeRows(keys, FirstRows(key_of_row)));
  return Call(context, key_group, std::move(call), out);
}

arrow::Result<bool> KeyedProcess::CallForTimers(const EvalContext& context, uint32_t key_group,
                                                RowConsumer* out) {
  const bool by_event_time = plan_.clock == TimerClock::kEventTime;
  if (by_event_time && watermark_ == nullptr) return false;
  const int64_t now = by_event_time ? watermark_->eviction_us : epoch_time_us_;
  state::HotTable& table = StoreOf(key_group)->table();
  // As in Spark a timer fires when its time is over.
  ARROW_ASSIGN_OR_RAISE(const auto due, timers_.TakeUpTo(key_group, table, now - 1));
  if (due.empty()) return false;
  const auto count = static_cast<int64_t>(due.size());
  std::vector<int64_t> times(due.size());
  for (size_t i = 0; i < due.size(); ++i) {
    times[i] = table.column(kTimer).values<int64_t>()[due[i]];
  }
  ARROW_ASSIGN_OR_RAISE(auto columns, table.KeyArrays(due, context.pool));
  columns.pop_back();  // the sequence
  Erase(&table, due);
  ARROW_RETURN_NOT_OK(RowStore::EncodeKeys(*codec_, columns, count, &keys_));
  std::vector<uint32_t> key_of_timer(due.size());
  numbering_.Clear();
  numbering_.FindOrInsert(keys_, 0, count, key_of_timer.data(), nullptr);
  KeyedCall call;
  const auto order = ByKey(
      key_of_timer, numbering_.num_rows(),
      [&](int64_t a, int64_t b) { return times[a] < times[b]; }, &call.timer_ends);
  for (const int64_t timer : order) call.timers_us.push_back(times[timer]);
  call.row_ends.assign(call.timer_ends.size(), 0);
  ARROW_ASSIGN_OR_RAISE(call.rows, arrow::RecordBatch::MakeEmpty(plan_.input_schema));
  const auto keys = arrow::RecordBatch::Make(plan_.key_schema, count, std::move(columns));
  ARROW_ASSIGN_OR_RAISE(call.keys, TakeRows(keys, FirstRows(key_of_timer)));
  return Call(context, key_group, std::move(call), out);
}

arrow::Status KeyedProcess::Forget(uint32_t key_group) {
  state::HotTable& table = StoreOf(key_group)->table();
  const auto changed = table.changed_rows();
  counters_.rows_updated += std::count_if(changed.begin(), changed.end(),
                                          [&](uint32_t row) { return table.is_live(row); });
  if (!plan_.time_to_live_us) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto over, lives_.TakeUpTo(key_group, table, epoch_time_us_));
  // A state that was written again stands there with its earlier ends, too.
  const int64_t* expires = table.column(kExpires).values<int64_t>();
  std::erase_if(over, [&](uint32_t row) { return expires[row] > epoch_time_us_; });
  std::sort(over.begin(), over.end());
  over.erase(std::unique(over.begin(), over.end()), over.end());
  Erase(&table, over);
  return arrow::Status::OK();
}

void KeyedProcess::Erase(state::HotTable* table, std::span<const uint32_t> rows) {
  table->Erase(rows);
  counters_.rows_removed += static_cast<int64_t>(rows.size());
}

arrow::Result<bool> KeyedProcess::Call(const EvalContext& context, uint32_t key_group,
                                       KeyedCall call, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(Keys keys, FindKeys(key_group, *call.keys));
  ARROW_RETURN_NOT_OK(ReadState(context, keys, &call));
  call.epoch_time_us = epoch_time_us_;
  if (watermark_ != nullptr) call.watermark_us = watermark_->eviction_us;
  ARROW_ASSIGN_OR_RAISE(KeyedAnswer answer, function_->Call(call));
  ARROW_RETURN_NOT_OK(Apply(answer, &keys));
  if (answer.output == nullptr || answer.output->num_rows() == 0) return false;
  const auto length = static_cast<int32_t>(answer.output->num_rows());
  ARROW_RETURN_NOT_OK(out->Consume({std::move(answer.output), {GroupRun{key_group, 0, length}}}));
  return true;
}

arrow::Result<KeyedProcess::Keys> KeyedProcess::FindKeys(uint32_t key_group,
                                                         const arrow::RecordBatch& keys) {
  Keys found{.key_group = key_group, .store = StoreOf(key_group), .count = keys.num_rows()};
  ARROW_RETURN_NOT_OK(RowStore::EncodeKeys(*codec_, keys.columns(), found.count, &keys_));
  found.state_rows.resize(found.count);
  found.timer_rows.resize(found.count);
  std::vector<uint32_t> over;  // states whose life is over
  found.store->FindFirst(keys_, 0, found.count, found.state_rows.data());
  const state::HotTable& table = found.store->table();
  for (int64_t key = 0; key < found.count; ++key) {
    uint32_t row = std::exchange(found.state_rows[key], RowStore::kNoRow);
    for (; row != RowStore::kNoRow; row = found.store->Next(row)) {
      if (table.column(kTimer).validity()[row] != 0) {
        found.timer_rows[key][table.column(kTimer).values<int64_t>()[row]] = row;
      } else if (table.column(kExpires).validity()[row] != 0 &&
                 table.column(kExpires).values<int64_t>()[row] <= epoch_time_us_) {
        over.push_back(row);
      } else {
        found.state_rows[key] = row;
      }
    }
  }
  Erase(&found.store->table(), over);
  return found;
}

arrow::Status KeyedProcess::ReadState(const EvalContext& context, const Keys& keys,
                                      KeyedCall* call) const {
  std::vector<uint32_t> rows;
  arrow::Int64Builder places;
  for (const uint32_t row : keys.state_rows) {
    const bool has_state = row != RowStore::kNoRow;
    call->has_state.push_back(has_state ? 1 : 0);
    ARROW_RETURN_NOT_OK(has_state ? places.Append(static_cast<int64_t>(rows.size()))
                                  : places.AppendNull());
    if (has_state) rows.push_back(row);
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(auto values, keys.store->table().ValueArrays(rows, context.pool));
  values.erase(values.begin(), values.begin() + kFirstState);
  for (auto& column : values) {
    ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Take(*column, *indices));
  }
  call->state = arrow::RecordBatch::Make(plan_.state_schema, keys.count, std::move(values));
  return arrow::Status::OK();
}

arrow::Status KeyedProcess::Apply(const KeyedAnswer& answer, Keys* keys) {
  std::vector<uint32_t> erased;
  for (const uint32_t key : answer.cleared) {
    const uint32_t row = std::exchange(keys->state_rows[key], RowStore::kNoRow);
    if (row != RowStore::kNoRow) erased.push_back(row);
  }
  for (const KeyedAnswer::Timer& timer : answer.deleted_timers) {
    const auto found = keys->timer_rows[timer.key].find(timer.time_us);
    if (found == keys->timer_rows[timer.key].end()) continue;
    erased.push_back(found->second);
    keys->timer_rows[timer.key].erase(found);
  }
  Erase(&keys->store->table(), erased);
  if (!answer.written.empty()) ARROW_RETURN_NOT_OK(WriteState(answer, keys));
  SetTimers(answer, keys);
  return arrow::Status::OK();
}

arrow::Status KeyedProcess::WriteState(const KeyedAnswer& answer, Keys* keys) {
  state::HotTable& table = keys->store->table();
  std::vector<uint32_t> added_keys;
  std::vector<uint32_t> touched;
  for (const uint32_t key : answer.written) {
    const uint32_t row = keys->state_rows[key];
    if (row == RowStore::kNoRow) {
      added_keys.push_back(key);
    } else {
      touched.push_back(row);
    }
  }
  table.Touch(touched);
  std::vector<uint32_t> added(added_keys.size());
  keys->store->Insert(keys_, added_keys, added.data());
  for (size_t i = 0; i < added.size(); ++i) keys->state_rows[added_keys[i]] = added[i];
  std::vector<uint32_t> rows;
  for (const uint32_t key : answer.written) rows.push_back(keys->state_rows[key]);
  for (int column = 0; column < answer.state->num_columns(); ++column) {
    state::WriteValues(*answer.state->column(column), Iota(rows.size()), rows,
                       &table.column(kFirstState + column));
  }
  if (!plan_.time_to_live_us) return arrow::Status::OK();
  const int64_t expires = epoch_time_us_ + *plan_.time_to_live_us;
  TimeIndex* index = lives_.Writable(keys->key_group, table);
  for (const uint32_t row : rows) {
    WriteTime(&table.column(kExpires), row, expires);
    if (index != nullptr) index->Add(expires, row);
  }
  return arrow::Status::OK();
}

void KeyedProcess::SetTimers(const KeyedAnswer& answer, Keys* keys) {
  std::vector<uint32_t> added_keys;
  std::vector<int64_t> times;
  for (const KeyedAnswer::Timer& timer : answer.set_timers) {
    if (!keys->timer_rows[timer.key].emplace(timer.time_us, RowStore::kNoRow).second) continue;
    added_keys.push_back(timer.key);
    times.push_back(timer.time_us);
  }
  state::HotTable& table = keys->store->table();
  std::vector<uint32_t> added(added_keys.size());
  keys->store->Insert(keys_, added_keys, added.data());
  TimeIndex* index = timers_.Writable(keys->key_group, table);
  for (size_t i = 0; i < added.size(); ++i) {
    WriteTime(&table.column(kTimer), added[i], times[i]);
    if (index != nullptr) index->Add(times[i], added[i]);
  }
}

}  // namespace tidemill::worker
