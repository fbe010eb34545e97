#include "worker/operators/row_filter.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include <utility>
#include <vector>

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

arrow::Result<Rows> KeepRows(Rows rows, const std::shared_ptr<arrow::Array>& mask) {
  const auto& kept = static_cast<const arrow::BooleanArray&>(*mask);
  if (kept.true_count() == rows.batch->num_rows()) return rows;  // Common case: no copy.
  ARROW_ASSIGN_OR_RAISE(arrow::Datum filtered, arrow::compute::Filter(rows.batch, mask));
  return Rows{filtered.record_batch(), FilterRuns(rows.runs, kept), rows.side};
}

}  // namespace tidemill::worker
