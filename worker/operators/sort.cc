#include "worker/operators/sort.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>

namespace tidemill::worker {

namespace {

// Ranks that compare as Spark orders the key: equal values have equal ranks, so that several keys
// with different NULL placements combine into one comparison of integers.
arrow::Result<std::vector<uint64_t>> RanksOf(const std::shared_ptr<arrow::Array>& key,
                                             bool descending, bool nulls_first) {
  const auto order =
      descending ? arrow::compute::SortOrder::Descending : arrow::compute::SortOrder::Ascending;
  const auto placement =
      nulls_first ? arrow::compute::NullPlacement::AtStart : arrow::compute::NullPlacement::AtEnd;
  arrow::compute::RankOptions options(order, placement, arrow::compute::RankOptions::Dense);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum ranks, arrow::compute::CallFunction("rank", {key}, &options));
  const auto array = ranks.make_array();
  const auto& values = static_cast<const arrow::UInt64Array&>(*array);
  return std::vector<uint64_t>(values.raw_values(), values.raw_values() + values.length());
}

}  // namespace

arrow::Status Sort::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  batches_.push_back(std::move(rows.batch));
  return arrow::Status::OK();
}

void Sort::Reset() {
  batches_.clear();
  all_.reset();
  order_.reset();
  emitted_ = 0;
}

arrow::Status Sort::SortAll(const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(schema_, batches_));
  batches_.clear();
  ARROW_ASSIGN_OR_RAISE(auto all, table->CombineChunksToBatch());
  std::vector<std::vector<uint64_t>> ranks;
  for (size_t i = 0; i < plan_.keys.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto key, plan_.keys[i]->Evaluate(context, *all));
    ARROW_ASSIGN_OR_RAISE(auto rank, RanksOf(key, plan_.descending[i], plan_.nulls_first[i]));
    ranks.push_back(std::move(rank));
  }
  std::vector<int64_t> order(all->num_rows());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&ranks](int64_t a, int64_t b) {
    for (const auto& rank : ranks) {
      if (rank[a] != rank[b]) return rank[a] < rank[b];
    }
    return false;
  });
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.AppendValues(order));
  ARROW_ASSIGN_OR_RAISE(order_, indices.Finish());
  all_ = std::move(all);
  return arrow::Status::OK();
}

arrow::Result<bool> Sort::EmitNext(const EvalContext& context, uint32_t key_group,
                                   RowConsumer* out) {
  if (!batches_.empty()) ARROW_RETURN_NOT_OK(SortAll(context));
  if (all_ == nullptr) return false;
  ARROW_ASSIGN_OR_RAISE(arrow::Datum sorted,
                        arrow::compute::Take(all_, order_->Slice(emitted_, kEmitRows)));
  emitted_ += sorted.length();
  if (emitted_ == order_->length()) Reset();
  ARROW_RETURN_NOT_OK(out->Consume({sorted.record_batch(), {}}));
  return true;
}

arrow::Status Limit::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  const int64_t taken = std::min(left_, rows.batch->num_rows());
  left_ -= taken;
  if (taken == 0) return arrow::Status::OK();
  if (taken < rows.batch->num_rows()) rows.batch = rows.batch->Slice(0, taken);
  return out->Consume({std::move(rows.batch), {}});
}

arrow::Status Limit::EndInput(const EvalContext& context, RowConsumer* out) {
  left_ = count_;
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
