#include "worker/slot/broadcast_runner.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/base/error.h"
#include "worker/slot/failed_row.h"

namespace tidemill::worker {

arrow::Result<StepResult> BroadcastRunner::Step() {
  if (is_done_) return StepResult::kDone;
  if (const std::optional<Rows> rows = inputs_.Next()) {
    const arrow::Status added = table_->Add(context_, *rows);
    if (added.ok()) return StepResult::kProgress;
    if (!NeedsPlace(added)) return added;
    return WithPlace(added, fmt::format("rows that stage {} broadcasts", plan_->inputs[0].stage));
  }
  if (!inputs_.is_finished()) return StepResult::kBlocked;
  ARROW_RETURN_NOT_OK(table_->Finish());
  is_done_ = true;
  return StepResult::kDone;
}

}  // namespace tidemill::worker
