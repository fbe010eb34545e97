#include "worker/join/stream_join.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "state/table/column_gather.h"
#include "state/table/column_writer.h"
#include "worker/operators/row_filter.h"

namespace tidemill::worker {

namespace {

// The times by which rows of a side go, out of what the table holds of them.
ExpiryIndex::TimesOf TimesOf(const JoinSidePlan& side) {
  if (side.state_key >= 0) {
    return ExpiryIndex::OfKeys({side.state_key, side.state_time.span_us});
  }
  return [time = side.state_time](
             const state::HotTable& table,
             std::span<const uint32_t> rows) -> arrow::Result<std::vector<std::optional<int64_t>>> {
    std::vector<std::optional<int64_t>> all(rows.size());
    if (!time.exists()) return all;
    ARROW_ASSIGN_OR_RAISE(const auto values, table.ValueArrays(rows, arrow::default_memory_pool()));
    const EventTimes times(values[time.column], time.span_us);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      if (!times.is_null(row)) all[i] = times.at(row);
    }
    return all;
  };
}

}  // namespace

StreamJoin::StreamJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema, OperatorStates* states)
    : plan_(std::move(plan)), schema_(std::move(schema)), states_(states) {}

arrow::Result<std::unique_ptr<StreamJoin>> StreamJoin::Make(JoinPlan plan,
                                                            std::shared_ptr<arrow::Schema> schema,
                                                            OperatorStates* states) {
  std::unique_ptr<StreamJoin> join(new StreamJoin(std::move(plan), std::move(schema), states));
  for (int i = 0; i < 2; ++i) {
    const JoinSidePlan& of_plan = join->plan_.sides[i];
    Side& side = join->sides_[i];
    ARROW_ASSIGN_OR_RAISE(side.codec, state::KeyCodec::Make(RowStore::KeyTypes(of_plan.key_types)));
    side.expiry = std::make_unique<ExpiryIndex>(states, TimesOf(of_plan));
  }
  return join;
}

void StreamJoin::Begin(const EpochInfo& epoch) {
  watermark_ = epoch.Find(plan_.operator_id);
  sides_[0].state_watermark_us = watermark_ == nullptr ? std::nullopt : watermark_->left_state_us;
  sides_[1].state_watermark_us = watermark_ == nullptr ? std::nullopt : watermark_->right_state_us;
}

void StreamJoin::Report(EpochCounters* counters) const {
  counters->operators[plan_.operator_id].Add(counters_);
}

void StreamJoin::Reset() {
  for (auto& of_side : expired_) of_side.clear();
  counters_ = {};
}

state::HotTable* StreamJoin::TableOf(int side, uint32_t key_group) {
  state::HotTable* table = states_->Find(TableId(side), key_group);
  TIDEMILL_CHECK(table != nullptr);
  return table;
}

RowStore& StreamJoin::StoreOf(int side, uint32_t key_group) {
  RowStore& store = sides_[side].stores.try_emplace(key_group, sides_[side].codec).first->second;
  store.Attach(TableOf(side, key_group), states_->version());
  return store;
}

arrow::Status StreamJoin::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  const JoinSidePlan& side = plan_.sides[rows.side];
  if (watermark_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(rows, DropLate(std::move(rows), side.event_time, watermark_->late_us,
                                         &counters_.rows_dropped_late));
  }
  ARROW_ASSIGN_OR_RAISE(rows, ApplyFilter(context, std::move(rows), out));
  const int64_t length = rows.batch->num_rows();
  if (length == 0) return arrow::Status::OK();
  ColumnList keys;
  for (const int column : side.keys) keys.push_back(rows.batch->column(column));
  null_keys_ = NullKeys(plan_, keys, length);
  ARROW_RETURN_NOT_OK(
      RowStore::EncodeKeys(*sides_[rows.side].codec, std::move(keys), length, &keys_));
  Batch batch{.side = rows.side, .rows = rows.batch.get()};
  batch.has_matched.resize(length, 0);
  for (const GroupRun& run : rows.runs) {
    ARROW_RETURN_NOT_OK(FindPartners(context, run, &batch, out));
  }
  ARROW_RETURN_NOT_OK(MakePairs(context, &batch, out));
  if (plan_.type == JoinType::kLeftSemi && batch.side == 0) {
    ARROW_RETURN_NOT_OK(EmitMatched(context, rows, batch, out));
  }
  for (const GroupRun& run : rows.runs) ARROW_RETURN_NOT_OK(Keep(batch, run));
  return arrow::Status::OK();
}

arrow::Result<Rows> StreamJoin::ApplyFilter(const EvalContext& context, Rows rows,
                                            RowConsumer* out) {
  const JoinSidePlan& side = plan_.sides[rows.side];
  if (side.filter == nullptr || rows.batch->num_rows() == 0) return rows;
  ARROW_ASSIGN_OR_RAISE(auto mask, side.filter->Evaluate(context, *rows.batch));
  if (plan_.keeps_unmatched(rows.side)) {
    const auto& passes = static_cast<const arrow::BooleanArray&>(*mask);
    for (const GroupRun& run : rows.runs) {
      std::vector<uint32_t> alone;
      for (int32_t row = run.begin; row < run.end; ++row) {
        if (!passes.IsValid(row) || !passes.Value(row)) alone.push_back(row);
      }
      if (alone.empty()) continue;
      ARROW_ASSIGN_OR_RAISE(ColumnList own, TakeColumns(*rows.batch, side.columns(), alone));
      ARROW_RETURN_NOT_OK(EmitAlone(context, rows.side, std::move(own), run.key_group, out));
    }
  }
  return KeepRows(std::move(rows), mask);
}

arrow::Status StreamJoin::EmitAlone(const EvalContext& context, int side, ColumnList columns,
                                    uint32_t key_group, RowConsumer* out) {
  const int64_t length = columns.empty() ? 0 : columns[0]->length();
  if (!plan_.gives_left_only()) {
    ARROW_ASSIGN_OR_RAISE(ColumnList other,
                          NullColumns(plan_.sides[1 - side], length, context.pool));
    columns.insert(side == 0 ? columns.end() : columns.begin(), other.begin(), other.end());
  }
  return out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                       {GroupRun{key_group, 0, static_cast<int32_t>(length)}}});
}

// Left rows of a semi join whose partners came before them.
arrow::Status StreamJoin::EmitMatched(const EvalContext& context, const Rows& rows,
                                      const Batch& batch, RowConsumer* out) {
  for (const GroupRun& run : rows.runs) {
    std::vector<uint32_t> given;
    for (int32_t row = run.begin; row < run.end; ++row) {
      if (batch.has_matched[row] != 0) given.push_back(row);
    }
    if (given.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(ColumnList own,
                          TakeColumns(*batch.rows, plan_.sides[0].columns(), given));
    ARROW_RETURN_NOT_OK(EmitAlone(context, 0, std::move(own), run.key_group, out));
  }
  return arrow::Status::OK();
}

arrow::Status StreamJoin::FindPartners(const EvalContext& context, const GroupRun& run,
                                       Batch* batch, RowConsumer* out) {
  RowStore& store = StoreOf(1 - batch->side, run.key_group);
  first_.resize(run.end - run.begin);
  store.FindFirst(keys_, run.begin, run.end, first_.data());
  const auto end_group = [&run, batch] {
    const int32_t begin = batch->groups.empty() ? 0 : batch->groups.back().end;
    const auto end = static_cast<int32_t>(batch->own.size());
    if (end > begin) batch->groups.push_back({run.key_group, begin, end});
  };
  for (int32_t row = run.begin; row < run.end; ++row) {
    if (null_keys_[row] != 0) continue;
    for (uint32_t other = first_[row - run.begin]; other != RowStore::kNoRow;
         other = store.Next(other)) {
      batch->own.push_back(row);
      batch->other.push_back(other);
      if (batch->own.size() < kPairs) continue;
      end_group();
      ARROW_RETURN_NOT_OK(MakePairs(context, batch, out));
    }
  }
  end_group();
  return arrow::Status::OK();
}

arrow::Result<ColumnList> StreamJoin::OtherColumns(const EvalContext& context, const Batch& batch) {
  const int side = 1 - batch.side;
  ColumnList columns;
  std::vector<state::ColumnRows> pieces;
  for (int column = 0; column < plan_.sides[side].columns(); ++column) {
    pieces.clear();
    for (const GroupRun& group : batch.groups) {
      pieces.push_back({&TableOf(side, group.key_group)->column(column),
                        std::span(batch.other).subspan(group.begin, group.end - group.begin)});
    }
    ARROW_ASSIGN_OR_RAISE(auto array, state::GatherColumn(pieces, context.pool));
    columns.push_back(std::move(array));
  }
  return columns;
}

arrow::Status StreamJoin::MakePairs(const EvalContext& context, Batch* batch, RowConsumer* out) {
  if (batch->own.empty()) return arrow::Status::OK();
  const int other_side = 1 - batch->side;
  Pairs pairs{.own_side = batch->side, .count = static_cast<int64_t>(batch->own.size())};
  ARROW_ASSIGN_OR_RAISE(pairs.own,
                        TakeColumns(*batch->rows, plan_.sides[batch->side].columns(), batch->own));
  ARROW_ASSIGN_OR_RAISE(pairs.other, OtherColumns(context, *batch));
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint8_t> meets, Meet(plan_, context, pairs));
  const bool is_semi = plan_.type == JoinType::kLeftSemi;
  if (!is_semi) ARROW_RETURN_NOT_OK(EmitPairs(pairs, batch->groups, meets, out));
  for (const GroupRun& group : batch->groups) {
    std::vector<uint32_t> partners;
    for (int32_t i = group.begin; i < group.end; ++i) {
      if (!meets.empty() && meets[i] == 0) continue;
      batch->has_matched[batch->own[i]] = 1;
      partners.push_back(batch->other[i]);
    }
    if (is_semi && batch->side == 1) {
      ARROW_RETURN_NOT_OK(EmitSemi(context, partners, group.key_group, out));
    }
    if (plan_.keeps_unmatched(other_side)) MarkMatched(other_side, group.key_group, partners);
  }
  batch->own.clear();
  batch->other.clear();
  batch->groups.clear();
  return arrow::Status::OK();
}

arrow::Status StreamJoin::EmitPairs(const Pairs& pairs, std::span<const GroupRun> groups,
                                    const std::vector<uint8_t>& meets, RowConsumer* out) {
  std::vector<GroupRun> runs;
  int32_t end = 0;
  for (const GroupRun& group : groups) {
    const int32_t begin = end;
    end += meets.empty() ? group.end - group.begin
                         : static_cast<int32_t>(std::count(meets.begin() + group.begin,
                                                           meets.begin() + group.end, 1));
    if (end > begin) runs.push_back({group.key_group, begin, end});
  }
  if (runs.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto joined, PairBatch(plan_, pairs, meets));
  return out->Consume(
      {arrow::RecordBatch::Make(schema_, joined->num_rows(), joined->columns()), std::move(runs)});
}

// Left rows that get their first partner from the right side.
arrow::Status StreamJoin::EmitSemi(const EvalContext& context, std::span<const uint32_t> partners,
                                   uint32_t key_group, RowConsumer* out) {
  state::HotTable* table = TableOf(0, key_group);
  const auto* marks = table->column(MarkColumn(0)).values<uint8_t>();
  std::vector<uint32_t> given;
  for (const uint32_t row : partners) {
    if (marks[row] == 0) given.push_back(row);
  }
  // A left row may stand here several times: once is enough.
  std::sort(given.begin(), given.end());
  given.erase(std::unique(given.begin(), given.end()), given.end());
  if (given.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(ColumnList columns, table->ValueArrays(given, context.pool));
  columns.pop_back();
  MarkMatched(0, key_group, given);
  return EmitAlone(context, 0, std::move(columns), key_group, out);
}

void StreamJoin::MarkMatched(int side, uint32_t key_group, std::span<const uint32_t> rows) {
  state::HotTable* table = TableOf(side, key_group);
  state::StateColumn& marks = table->column(MarkColumn(side));
  std::vector<uint32_t> fresh;
  for (const uint32_t row : rows) {
    if (marks.values<uint8_t>()[row] == 0) fresh.push_back(row);
  }
  table->Touch(fresh);
  for (const uint32_t row : fresh) marks.values<uint8_t>()[row] = 1;
}

// Spark's rule: a left row is kept even where it goes in this epoch, for the right rows that are
// still to come; a right one only if it stays, or must go out unmatched at the end.
arrow::Status StreamJoin::Keep(const Batch& batch, const GroupRun& run) {
  const JoinSidePlan& side = plan_.sides[batch.side];
  const Side& own = sides_[batch.side];
  std::optional<EventTimes> times;
  if (side.state_time.exists()) {
    times.emplace(batch.rows->column(side.state_time.column), side.state_time.span_us);
  }
  const bool keeps_unmatched = plan_.keeps_unmatched(batch.side);
  picked_.clear();
  for (int32_t row = run.begin; row < run.end; ++row) {
    const bool is_matched = batch.has_matched[row] != 0;
    if (null_keys_[row] != 0 && !keeps_unmatched) continue;
    if (batch.side == 0) {
      if (plan_.type == JoinType::kLeftSemi && is_matched) continue;
    } else {
      const bool goes =
          times && own.state_watermark_us && times->is_up_to(row, *own.state_watermark_us);
      if (goes && !(keeps_unmatched && !is_matched)) continue;
    }
    picked_.push_back(row);
  }
  if (picked_.empty()) return arrow::Status::OK();
  state::HotTable* table = TableOf(batch.side, run.key_group);
  TimeIndex* index = own.expiry->Writable(run.key_group, *table);
  kept_.resize(picked_.size());
  StoreOf(batch.side, run.key_group).Insert(keys_, picked_, kept_.data());
  counters_.rows_updated += static_cast<int64_t>(kept_.size());
  for (int column = 0; column < side.columns(); ++column) {
    state::WriteValues(*batch.rows->column(column), picked_, kept_, &table->column(column));
  }
  state::StateColumn& marks = table->column(MarkColumn(batch.side));
  for (size_t i = 0; i < kept_.size(); ++i) {
    marks.values<uint8_t>()[kept_[i]] = batch.has_matched[picked_[i]];
    marks.validity()[kept_[i]] = 1;
    if (index != nullptr && times && !times->is_null(picked_[i])) {
      index->Add(times->at(picked_[i]), kept_[i]);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<bool> StreamJoin::EmitNext(const EvalContext& context, uint32_t key_group,
                                         RowConsumer* out) {
  for (int side = 0; side < 2; ++side) {
    ARROW_ASSIGN_OR_RAISE(const bool has_emitted, Evict(context, side, key_group, out));
    if (has_emitted) return true;
  }
  return false;
}

arrow::Result<bool> StreamJoin::Evict(const EvalContext& context, int side, uint32_t key_group,
                                      RowConsumer* out) {
  const Side& own = sides_[side];
  if (!own.state_watermark_us) return false;
  state::HotTable* table = TableOf(side, key_group);
  auto found = expired_[side].find(key_group);
  if (found == expired_[side].end()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<uint32_t> rows,
                          own.expiry->TakeUpTo(key_group, *table, *own.state_watermark_us));
    found = expired_[side].emplace(key_group, std::move(rows)).first;
  }
  std::vector<uint32_t>& left = found->second;
  while (!left.empty()) {
    const size_t count = std::min<size_t>(left.size(), kEmitRows);
    const std::vector<uint32_t> piece(left.end() - static_cast<std::ptrdiff_t>(count), left.end());
    left.resize(left.size() - count);
    std::vector<uint32_t> alone;
    const auto* marks = table->column(MarkColumn(side)).values<uint8_t>();
    for (const uint32_t row : piece) {
      if (plan_.keeps_unmatched(side) && marks[row] == 0) alone.push_back(row);
    }
    ColumnList columns;
    if (!alone.empty()) {
      ARROW_ASSIGN_OR_RAISE(columns, table->ValueArrays(alone, context.pool));
      columns.pop_back();
    }
    table->Erase(piece);
    counters_.rows_removed += static_cast<int64_t>(count);
    if (alone.empty()) continue;
    ARROW_RETURN_NOT_OK(EmitAlone(context, side, std::move(columns), key_group, out));
    return true;
  }
  return false;
}

}  // namespace tidemill::worker
