#include "worker/operators/filter.h"

#include <arrow/array.h>

#include <utility>

#include "worker/operators/row_filter.h"

namespace tidemill::worker {

arrow::Status Filter::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto mask, plan_.condition->Evaluate(context, *rows.batch));
  ARROW_ASSIGN_OR_RAISE(rows, KeepRows(std::move(rows), mask));
  return out->Consume(std::move(rows));
}

}  // namespace tidemill::worker
