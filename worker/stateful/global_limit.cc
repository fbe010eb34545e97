#include "worker/stateful/global_limit.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

arrow::Result<std::unique_ptr<GlobalLimit>> GlobalLimit::Make(GlobalLimitPlan plan,
                                                              OperatorStates* states) {
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make({}));
  state::EncodedKeys key;
  ARROW_RETURN_NOT_OK(codec->Encode({}, 1, &key));
  return std::unique_ptr<GlobalLimit>(new GlobalLimit(plan, states, std::move(key)));
}

arrow::Status GlobalLimit::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  state::HotTable* table = states_->Find(plan_.operator_id, 0);
  TIDEMILL_CHECK(table != nullptr);  // A gathered stage runs at the owner of key group 0.
  uint32_t row = 0;
  table->Find(key_, 0, 1, &row);
  const int64_t passed =
      row == state::HotTable::kNoRow ? 0 : table->column(0).values<int64_t>()[row];
  const int64_t taken = std::min(plan_.count - passed, rows.batch->num_rows());
  if (taken <= 0) return arrow::Status::OK();
  table->FindOrInsert(key_, 0, 1, &row, nullptr);
  table->Touch({&row, 1});
  table->column(0).values<int64_t>()[row] = passed + taken;
  table->column(0).validity()[row] = 1;
  has_passed_ = true;
  return out->Consume({rows.batch->Slice(0, taken), {}});
}

void GlobalLimit::Report(EpochCounters* counters) const {
  counters->operators[plan_.operator_id].rows_updated += has_passed_ ? 1 : 0;
}

}  // namespace tidemill::worker
