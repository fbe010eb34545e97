#include "worker/operators/project.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <utility>
#include <vector>

namespace tidemill::worker {

arrow::Status Project::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  columns.reserve(plan_.exprs.size());
  for (const CompiledExprPtr& expr : plan_.exprs) {
    ARROW_ASSIGN_OR_RAISE(auto column, expr->Evaluate(context, *rows.batch));
    columns.push_back(std::move(column));
  }
  auto batch = arrow::RecordBatch::Make(schema_, rows.batch->num_rows(), std::move(columns));
  return out->Consume({std::move(batch), std::move(rows.runs)});
}

}  // namespace tidemill::worker
