#include "worker/operators/sliding_windows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <vector>

namespace tidemill::worker {

namespace {

int64_t MicrosOf(const CompiledExprPtr& literal) {
  return static_cast<const arrow::DurationScalar&>(*literal->expr()->literal).value;
}

int64_t FloorMod(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

}  // namespace

arrow::Status SlidingWindows::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto times, plan_.args[0]->Evaluate(context, *rows.batch));
  const int64_t duration = MicrosOf(plan_.args[1]);
  const int64_t slide = MicrosOf(plan_.args[2]);
  const int64_t offset = MicrosOf(plan_.args[3]);
  const int64_t* values = static_cast<const arrow::TimestampArray&>(*times).raw_values();
  const int64_t length = rows.batch->num_rows();
  const int64_t per_row = (duration + slide - 1) / slide;

  arrow::Int32Builder parents(context.pool);
  arrow::TimestampBuilder starts(times->type(), context.pool);
  ARROW_RETURN_NOT_OK(parents.Reserve(length * per_row));
  ARROW_RETURN_NOT_OK(starts.Reserve(length * per_row));
  std::vector<GroupRun> runs;
  size_t run = 0;
  for (int64_t row = 0; row < length; ++row) {
    if (run < rows.runs.size() && row == rows.runs[run].begin) {
      const auto at = static_cast<int32_t>(parents.length());
      runs.push_back({rows.runs[run++].key_group, at, at});
    }
    if (times->IsNull(row)) continue;
    const int64_t last_start = values[row] - FloorMod(values[row] - offset, slide);
    for (int64_t i = 0; i < per_row; ++i) {
      const int64_t start = last_start - i * slide;
      if (values[row] >= start + duration) break;
      parents.UnsafeAppend(static_cast<int32_t>(row));
      starts.UnsafeAppend(start);
    }
    if (!runs.empty()) runs.back().end = static_cast<int32_t>(parents.length());
  }
  std::erase_if(runs, [](const GroupRun& one) { return one.begin == one.end; });
  const int64_t total = parents.length();
  if (total == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto indices, parents.Finish());
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const int column : plan_.kept_columns) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum repeated,
                          arrow::compute::Take(rows.batch->column(column), indices,
                                               arrow::compute::TakeOptions::NoBoundsCheck()));
    columns.push_back(repeated.make_array());
  }
  ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), starts.Finish());
  return out->Consume(
      {arrow::RecordBatch::Make(schema_, total, std::move(columns)), std::move(runs)});
}

}  // namespace tidemill::worker
