#include "worker/join/table_join.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "worker/join/joined_rows.h"

namespace tidemill::worker {

namespace {

constexpr uint32_t kNone = BuildTable::kNone;

}  // namespace

TableJoin::TableJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema)
    : plan_(std::move(plan)), schema_(std::move(schema)) {}

arrow::Result<std::unique_ptr<TableJoin>> TableJoin::Make(JoinPlan plan,
                                                          std::shared_ptr<arrow::Schema> schema,
                                                          BuildTable* shared) {
  auto join = std::unique_ptr<TableJoin>(new TableJoin(std::move(plan), std::move(schema)));
  join->build_ = shared;
  if (shared != nullptr) return join;
  ARROW_ASSIGN_OR_RAISE(join->own_, BuildTable::Make(&join->plan_));
  join->build_ = join->own_.get();
  return join;
}

void TableJoin::Begin(const EpochInfo& epoch) {
  if (own_ != nullptr) own_->Begin(epoch);
}

void TableJoin::Reset() {
  if (own_ != nullptr) own_->Reset();
  build_matched_.clear();
  unmatched_.reset();
}

arrow::Status TableJoin::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (own_ != nullptr && rows.side == plan_.build_side) return own_->Add(context, rows);
  ARROW_RETURN_NOT_OK(build_->Finish());
  return FindPartners(context, rows, out);
}

arrow::Status TableJoin::FindPartners(const EvalContext& context, const Rows& rows,
                                      RowConsumer* out) {
  const int side = 1 - plan_.build_side;
  const int64_t length = rows.batch->num_rows();
  const ColumnList keys = KeysOf(plan_.sides[side], *rows.batch);
  if (plan_.keeps_unmatched(plan_.build_side) && build_->rows() != nullptr) {
    build_matched_.resize(build_->rows()->num_rows(), 0);
  }
  Probe probe;
  probe.rows = &rows;
  probe.groups = GroupsOf(rows);
  probe.has_matched.resize(length, 0);
  ARROW_ASSIGN_OR_RAISE(probe.can_match, CanMatch(plan_, context, side, *rows.batch, keys));
  ARROW_RETURN_NOT_OK(build_->Find(keys, length, &found_));
  for (int64_t row = 0; row < length; ++row) {
    build_->FetchAhead(found_, row);
    if (probe.can_match[row] == 0) continue;
    for (uint32_t other = found_[row]; other != kNone; other = build_->Next(other)) {
      probe.own.push_back(static_cast<uint32_t>(row));
      probe.other.push_back(other);
      if (probe.own.size() == kPairs) ARROW_RETURN_NOT_OK(MakePairs(context, &probe, out));
    }
  }
  ARROW_RETURN_NOT_OK(MakePairs(context, &probe, out));
  return EmitRest(context, probe, out);
}

arrow::Status TableJoin::MakePairs(const EvalContext& context, Probe* probe, RowConsumer* out) {
  if (probe->own.empty()) return arrow::Status::OK();
  const int side = 1 - plan_.build_side;
  Pairs pairs{.own_side = side, .count = static_cast<int64_t>(probe->own.size())};
  ARROW_ASSIGN_OR_RAISE(pairs.own,
                        TakeColumns(*probe->rows->batch, plan_.sides[side].columns(), probe->own));
  ARROW_ASSIGN_OR_RAISE(
      pairs.other,
      TakeColumns(*build_->rows(), plan_.sides[plan_.build_side].columns(), probe->other));
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint8_t> meets, Meet(plan_, context, pairs));
  std::vector<uint32_t> kept;
  for (size_t i = 0; i < probe->own.size(); ++i) {
    if (!meets.empty() && meets[i] == 0) continue;
    probe->has_matched[probe->own[i]] = 1;
    if (!build_matched_.empty()) build_matched_[probe->other[i]] = 1;
    kept.push_back(probe->own[i]);
  }
  probe->own.clear();
  probe->other.clear();
  if (plan_.gives_left_only() || kept.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto joined, PairBatch(plan_, pairs, meets));
  auto batch = arrow::RecordBatch::Make(schema_, joined->num_rows(), joined->columns());
  return out->Consume({std::move(batch), RunsOf(probe->groups, kept)});
}

// What goes out beside the pairs: rows without partner of an outer join, rows with (without) one of
// a semi (anti) join.
arrow::Status TableJoin::EmitRest(const EvalContext& context, const Probe& probe,
                                  RowConsumer* out) {
  const int side = 1 - plan_.build_side;
  const bool gives_matched = plan_.type == JoinType::kLeftSemi;
  const bool gives_unmatched = plan_.keeps_unmatched(side) || plan_.type == JoinType::kLeftAnti;
  if (!gives_matched && !gives_unmatched) return arrow::Status::OK();
  std::vector<uint32_t> picked;
  for (size_t row = 0; row < probe.has_matched.size(); ++row) {
    if ((probe.has_matched[row] != 0) == gives_matched)
      picked.push_back(static_cast<uint32_t>(row));
  }
  if (picked.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(ColumnList own,
                        TakeColumns(*probe.rows->batch, plan_.sides[side].columns(), picked));
  const auto length = static_cast<int64_t>(picked.size());
  if (!plan_.gives_left_only()) {
    ARROW_ASSIGN_OR_RAISE(ColumnList other,
                          NullColumns(plan_.sides[plan_.build_side], length, context.pool));
    own.insert(side == 0 ? own.end() : own.begin(), other.begin(), other.end());
  }
  return out->Consume(
      {arrow::RecordBatch::Make(schema_, length, std::move(own)), RunsOf(probe.groups, picked)});
}

arrow::Result<bool> TableJoin::EmitNext(const EvalContext& context, uint32_t key_group,
                                        RowConsumer* out) {
  if (!plan_.keeps_unmatched(plan_.build_side)) return false;
  ARROW_RETURN_NOT_OK(build_->Finish());
  if (build_->rows() == nullptr) return false;
  if (!unmatched_) {
    build_matched_.resize(build_->rows()->num_rows(), 0);
    unmatched_.emplace();
    for (uint32_t row = 0; row < build_matched_.size(); ++row) {
      if (build_matched_[row] != 0) continue;
      const uint32_t group = build_->key_groups()[row];
      if (group >= unmatched_->size()) unmatched_->resize(group + 1);
      (*unmatched_)[group].push_back(row);
    }
  }
  if (key_group >= unmatched_->size() || (*unmatched_)[key_group].empty()) return false;
  std::vector<uint32_t>& left = (*unmatched_)[key_group];
  const size_t count = std::min<size_t>(left.size(), kEmitRows);
  const std::vector<uint32_t> picked(left.end() - static_cast<std::ptrdiff_t>(count), left.end());
  left.resize(left.size() - count);
  ARROW_ASSIGN_OR_RAISE(
      ColumnList build,
      TakeColumns(*build_->rows(), plan_.sides[plan_.build_side].columns(), picked));
  const auto length = static_cast<int64_t>(count);
  ARROW_ASSIGN_OR_RAISE(ColumnList other,
                        NullColumns(plan_.sides[1 - plan_.build_side], length, context.pool));
  build.insert(plan_.build_side == 0 ? build.end() : build.begin(), other.begin(), other.end());
  ARROW_RETURN_NOT_OK(out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(build)),
                                    {GroupRun{key_group, 0, static_cast<int32_t>(length)}}}));
  return true;
}

}  // namespace tidemill::worker
