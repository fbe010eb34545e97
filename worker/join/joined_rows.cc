#include "worker/join/joined_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace tidemill::worker {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> IndexArray(std::span<const uint32_t> picked) {
  arrow::UInt32Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(picked.data(), static_cast<int64_t>(picked.size())));
  return builder.Finish();
}

}  // namespace

arrow::Result<ColumnList> TakeColumns(const arrow::RecordBatch& batch, int count,
                                      std::span<const uint32_t> picked) {
  ARROW_ASSIGN_OR_RAISE(const auto indices, IndexArray(picked));
  ColumnList columns;
  for (int i = 0; i < count; ++i) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum taken,
                          arrow::compute::Take(batch.column(i), indices,
                                               arrow::compute::TakeOptions::NoBoundsCheck()));
    columns.push_back(taken.make_array());
  }
  return columns;
}

arrow::Result<ColumnList> NullColumns(const JoinSidePlan& side, int64_t rows,
                                      arrow::MemoryPool* pool) {
  ColumnList columns;
  for (const auto& type : side.types) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayOfNull(type, rows, pool));
  }
  return columns;
}

namespace {

std::shared_ptr<arrow::RecordBatch> SideBySide(const JoinPlan& plan, const Pairs& pairs) {
  ColumnList columns = pairs.own_side == 0 ? pairs.own : pairs.other;
  const ColumnList& right = pairs.own_side == 0 ? pairs.other : pairs.own;
  columns.insert(columns.end(), right.begin(), right.end());
  return arrow::RecordBatch::Make(plan.joined_schema, pairs.count, std::move(columns));
}

}  // namespace

arrow::Result<std::vector<uint8_t>> Meet(const JoinPlan& plan, const EvalContext& context,
                                         const Pairs& pairs) {
  std::vector<uint8_t> meets;
  if (plan.condition == nullptr) return meets;
  ARROW_ASSIGN_OR_RAISE(const auto evaluated,
                        plan.condition->Evaluate(context, *SideBySide(plan, pairs)));
  const auto& mask = static_cast<const arrow::BooleanArray&>(*evaluated);
  meets.resize(pairs.count);
  for (int64_t i = 0; i < pairs.count; ++i) meets[i] = mask.IsValid(i) && mask.Value(i) ? 1 : 0;
  return meets;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PairBatch(const JoinPlan& plan,
                                                             const Pairs& pairs,
                                                             const std::vector<uint8_t>& meets) {
  auto batch = SideBySide(plan, pairs);
  if (std::all_of(meets.begin(), meets.end(), [](uint8_t bit) { return bit != 0; })) return batch;
  arrow::BooleanBuilder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(meets.data(), pairs.count));
  ARROW_ASSIGN_OR_RAISE(const auto mask, builder.Finish());
  ARROW_ASSIGN_OR_RAISE(arrow::Datum filtered, arrow::compute::Filter(batch, mask));
  return filtered.record_batch();
}

std::vector<uint8_t> NullKeys(const JoinPlan& plan, const ColumnList& keys, int64_t rows) {
  std::vector<uint8_t> is_null(rows, 0);
  for (size_t key = 0; key < keys.size(); ++key) {
    if (plan.is_null_safe[key] || keys[key]->null_count() == 0) continue;
    for (int64_t row = 0; row < rows; ++row) {
      if (keys[key]->IsNull(row)) is_null[row] = 1;
    }
  }
  return is_null;
}

ColumnList KeysOf(const JoinSidePlan& side, const arrow::RecordBatch& batch) {
  ColumnList keys;
  for (const int column : side.keys) keys.push_back(batch.column(column));
  return keys;
}

arrow::Result<std::vector<uint8_t>> CanMatch(const JoinPlan& plan, const EvalContext& context,
                                             int side, const arrow::RecordBatch& batch,
                                             const ColumnList& keys) {
  std::vector<uint8_t> can_match = NullKeys(plan, keys, batch.num_rows());
  for (uint8_t& bit : can_match) bit ^= 1;
  const auto& filter = plan.sides[side].filter;
  if (filter == nullptr) return can_match;
  ARROW_ASSIGN_OR_RAISE(const auto evaluated, filter->Evaluate(context, batch));
  const auto& mask = static_cast<const arrow::BooleanArray&>(*evaluated);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (!mask.IsValid(row) || !mask.Value(row)) can_match[row] = 0;
  }
  return can_match;
}

std::vector<uint32_t> GroupsOf(const Rows& rows) {
  std::vector<uint32_t> groups;
  if (rows.runs.empty()) return groups;
  groups.resize(rows.batch->num_rows());
  for (const GroupRun& run : rows.runs) {
    std::fill(groups.begin() + run.begin, groups.begin() + run.end, run.key_group);
  }
  return groups;
}

std::vector<GroupRun> RunsOf(std::span<const uint32_t> groups, std::span<const uint32_t> picked) {
  std::vector<GroupRun> runs;
  if (groups.empty()) return runs;
  for (size_t i = 0; i < picked.size(); ++i) {
    const auto at = static_cast<int32_t>(i);
    const uint32_t group = groups[picked[i]];
    if (runs.empty() || runs.back().key_group != group) runs.push_back({group, at, at});
    runs.back().end = at + 1;
  }
  return runs;
}

}  // namespace tidemill::worker
