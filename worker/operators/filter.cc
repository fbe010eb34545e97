#include "worker/operators/filter.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include <utility>

namespace tidemill::worker {

namespace {

// The runs of what a filter leaves over.
std::vector<GroupRun> FilterRuns(const std::vector<GroupRun>& runs,
                                 const arrow::BooleanArray& mask) {
  std::vector<GroupRun> kept;
  int32_t position = 0;
  for (const GroupRun& run : runs) {
    const auto slice = mask.Slice(run.begin, run.end - run.begin);
    const auto count =
        static_cast<int32_t>(static_cast<const arrow::BooleanArray&>(*slice).true_count());
    if (count == 0) continue;
    kept.push_back({run.key_group, position, position + count});
    position += count;
  }
  return kept;
}

}  // namespace

arrow::Status Filter::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto evaluated, plan_.condition->Evaluate(context, *rows.batch));
  const auto& mask = static_cast<const arrow::BooleanArray&>(*evaluated);
  const int64_t kept = mask.true_count();
  if (kept == rows.batch->num_rows())
    return out->Consume(std::move(rows));  // Common case: no copy.
  if (kept == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(arrow::Datum filtered, arrow::compute::Filter(rows.batch, evaluated));
  return out->Consume({filtered.record_batch(), FilterRuns(rows.runs, mask)});
}

}  // namespace tidemill::worker
