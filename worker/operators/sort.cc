#include "worker/operators/sort.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <span>
#include <utility>

#include "worker/operators/sort_order.h"

namespace tidemill::worker {

arrow::Status Sort::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  batches_.push_back(std::move(rows.batch));
  return arrow::Status::OK();
}

void Sort::Reset() {
  batches_.clear();
  all_.reset();
  order_.clear();
  emitted_ = 0;
}

arrow::Status Sort::SortAll(const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(schema_, batches_));
  batches_.clear();
  ARROW_ASSIGN_OR_RAISE(auto all, table->CombineChunksToBatch());
  SortRanks ranks;
  for (size_t i = 0; i < plan_.keys.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto key, plan_.keys[i]->Evaluate(context, *all));
    ARROW_ASSIGN_OR_RAISE(auto rank, RanksOf(key, plan_.descending[i], plan_.nulls_first[i]));
    ranks.push_back(std::move(rank));
  }
  order_ = StableOrder(ranks, all->num_rows());
  all_ = std::move(all);
  return arrow::Status::OK();
}

arrow::Result<bool> Sort::EmitNext(const EvalContext& context, uint32_t key_group,
                                   RowConsumer* out) {
  if (!batches_.empty()) ARROW_RETURN_NOT_OK(SortAll(context));
  if (all_ == nullptr) return false;
  const size_t count = std::min<size_t>(kEmitRows, order_.size() - emitted_);
  ARROW_ASSIGN_OR_RAISE(auto sorted, TakeRows(all_, std::span(order_).subspan(emitted_, count)));
  emitted_ += count;
  if (emitted_ == order_.size()) Reset();
  ARROW_RETURN_NOT_OK(out->Consume({std::move(sorted), {}}));
  return true;
}

arrow::Status Limit::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  const int64_t num_rows = rows.batch->num_rows();
  const int64_t skipped = std::min(plan_.offset - skipped_, num_rows);
  const int64_t taken = std::min(plan_.count - passed_, num_rows - skipped);
  skipped_ += skipped;
  passed_ += taken;
  if (taken == 0) return arrow::Status::OK();
  if (taken < num_rows) rows.batch = rows.batch->Slice(skipped, taken);
  return out->Consume({std::move(rows.batch), {}});
}

arrow::Status Limit::EndInput(const EvalContext& context, RowConsumer* out) {
  Reset();
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
