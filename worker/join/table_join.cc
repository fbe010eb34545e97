#include "worker/join/table_join.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr uint32_t kNone = state::HotTable::kNoRow;

ColumnList KeysOf(const JoinSidePlan& side, const arrow::RecordBatch& batch) {
  ColumnList keys;
  for (const int column : side.keys) keys.push_back(batch.column(column));
  return keys;
}

// Fetches the entry that a loop over `places` comes to some steps later: they are far apart.
template <class T>
void FetchAhead(const std::vector<uint32_t>& places, size_t i, const std::vector<T>& table) {
  constexpr size_t kAhead = 16;
  if (i + kAhead < places.size() && places[i + kAhead] != kNone) {
    __builtin_prefetch(table.data() + places[i + kAhead]);
  }
}

}  // namespace

TableJoin::TableJoin(JoinPlan plan, std::shared_ptr<arrow::Schema> schema,
                     std::shared_ptr<const state::KeyCodec> codec)
    : plan_(std::move(plan)),
      schema_(std::move(schema)),
      codec_(std::move(codec)),
      directory_(state::HotTable::Options{.keys = codec_, .is_transactional = false}) {}

arrow::Result<std::unique_ptr<TableJoin>> TableJoin::Make(JoinPlan plan,
                                                          std::shared_ptr<arrow::Schema> schema) {
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan.sides[0].key_types));
  return std::unique_ptr<TableJoin>(
      new TableJoin(std::move(plan), std::move(schema), std::move(codec)));
}

void TableJoin::Begin(const EpochInfo& epoch) {
  if (plan_.keeps_build && epoch.keeps_builds) {
    is_missing_ = !has_build_;
    return;
  }
  ForgetBuild();
  has_build_ = true;
}

void TableJoin::Reset() {
  if (!plan_.keeps_build) ForgetBuild();
  unmatched_.reset();
}

void TableJoin::ForgetBuild() {
  directory_.Clear();
  chains_.clear();
  next_.clear();
  build_batches_.clear();
  build_.reset();
  build_groups_.clear();
  build_matched_.clear();
  is_built_ = false;
  is_missing_ = false;
}

arrow::Status TableJoin::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  if (rows.side == plan_.build_side) return AddToBuild(context, rows);
  ARROW_RETURN_NOT_OK(FinishBuild());
  return FindPartners(context, rows, out);
}

arrow::Result<std::vector<uint8_t>> TableJoin::CanMatch(const EvalContext& context, int side,
                                                        const arrow::RecordBatch& batch,
                                                        const ColumnList& keys) const {
  std::vector<uint8_t> can_match = NullKeys(plan_, keys, batch.num_rows());
  for (uint8_t& bit : can_match) bit ^= 1;
  const auto& filter = plan_.sides[side].filter;
  if (filter == nullptr) return can_match;
  ARROW_ASSIGN_OR_RAISE(const auto evaluated, filter->Evaluate(context, batch));
  const auto& mask = static_cast<const arrow::BooleanArray&>(*evaluated);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (!mask.IsValid(row) || !mask.Value(row)) can_match[row] = 0;
  }
  return can_match;
}

arrow::Status TableJoin::AddToBuild(const EvalContext& context, const Rows& rows) {
  const JoinSidePlan& side = plan_.sides[plan_.build_side];
  const arrow::RecordBatch& batch = *rows.batch;
  const ColumnList keys = KeysOf(side, batch);
  ARROW_ASSIGN_OR_RAISE(const auto can_match, CanMatch(context, plan_.build_side, batch, keys));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, batch.num_rows(), &keys_));
  found_.resize(batch.num_rows());
  directory_.FindOrInsert(keys_, 0, batch.num_rows(), found_.data(), nullptr);
  chains_.resize(directory_.num_rows());
  const auto first = static_cast<uint32_t>(next_.size());
  next_.resize(next_.size() + batch.num_rows(), kNone);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (can_match[row] == 0) continue;
    const uint32_t number = first + static_cast<uint32_t>(row);
    Chain& chain = chains_[found_[row]];
    if (chain.first == kNone) {
      chain.first = number;
    } else {
      next_[chain.last] = number;
    }
    chain.last = number;
  }
  build_batches_.push_back(rows.batch);
  if (!plan_.keeps_unmatched(plan_.build_side)) return arrow::Status::OK();
  std::vector<uint32_t> groups = GroupsOf(rows);
  groups.resize(batch.num_rows(), 0);
  build_groups_.insert(build_groups_.end(), groups.begin(), groups.end());
  return arrow::Status::OK();
}

arrow::Status TableJoin::FinishBuild() {
  if (is_missing_) {
    return MakeError(ErrorKind::kBug, "BUILD_SIDE_MISSING",
                     "the driver took the static side of a join for kept, but this slot has none");
  }
  if (std::exchange(is_built_, true) || build_batches_.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(build_, arrow::ConcatenateRecordBatches(build_batches_));
  build_batches_.clear();
  if (plan_.keeps_unmatched(plan_.build_side)) build_matched_.resize(build_->num_rows(), 0);
  return arrow::Status::OK();
}

arrow::Status TableJoin::FindPartners(const EvalContext& context, const Rows& rows,
                                      RowConsumer* out) {
  const int side = 1 - plan_.build_side;
  const int64_t length = rows.batch->num_rows();
  const ColumnList keys = KeysOf(plan_.sides[side], *rows.batch);
  Probe probe;
  probe.rows = &rows;
  probe.groups = GroupsOf(rows);
  probe.has_matched.resize(length, 0);
  ARROW_ASSIGN_OR_RAISE(probe.can_match, CanMatch(context, side, *rows.batch, keys));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, length, &keys_));
  found_.resize(length);
  directory_.Find(keys_, 0, length, found_.data());
  for (size_t i = 0; i < found_.size(); ++i) {
    FetchAhead(found_, i, chains_);
    if (found_[i] != kNone) found_[i] = chains_[found_[i]].first;
  }
  for (int64_t row = 0; row < length; ++row) {
    FetchAhead(found_, row, next_);
    if (probe.can_match[row] == 0) continue;
    for (uint32_t other = found_[row]; other != kNone; other = next_[other]) {
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
      pairs.other, TakeColumns(*build_, plan_.sides[plan_.build_side].columns(), probe->other));
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
  ARROW_RETURN_NOT_OK(FinishBuild());
  if (build_ == nullptr || build_matched_.empty()) return false;
  if (!unmatched_) {
    unmatched_.emplace();
    for (uint32_t row = 0; row < build_matched_.size(); ++row) {
      if (build_matched_[row] != 0) continue;
      if (build_groups_[row] >= unmatched_->size()) unmatched_->resize(build_groups_[row] + 1);
      (*unmatched_)[build_groups_[row]].push_back(row);
    }
  }
  if (key_group >= unmatched_->size() || (*unmatched_)[key_group].empty()) return false;
  std::vector<uint32_t>& left = (*unmatched_)[key_group];
  const size_t count = std::min<size_t>(left.size(), kEmitRows);
  const std::vector<uint32_t> picked(left.end() - static_cast<std::ptrdiff_t>(count), left.end());
  left.resize(left.size() - count);
  ARROW_ASSIGN_OR_RAISE(ColumnList build,
                        TakeColumns(*build_, plan_.sides[plan_.build_side].columns(), picked));
  const auto length = static_cast<int64_t>(count);
  ARROW_ASSIGN_OR_RAISE(ColumnList other,
                        NullColumns(plan_.sides[1 - plan_.build_side], length, context.pool));
  build.insert(plan_.build_side == 0 ? build.end() : build.begin(), other.begin(), other.end());
  ARROW_RETURN_NOT_OK(out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(build)),
                                    {GroupRun{key_group, 0, static_cast<int32_t>(length)}}}));
  return true;
}

}  // namespace tidemill::worker
