#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>

#include "worker/slot/pipeline.h"

namespace tidemill::worker {

// Whether an error is the data's fault (kJobFailed) and does not say yet where.
bool NeedsPlace(const arrow::Status& error);

// The row of a batch on which the pipeline of a source stage has failed with `error`: runs parts of
// the batch through a pipeline of its own, half by half, whatever filters and generators make of
// them. Nothing where no single row fails like that (together they made a sum overflow), or where
// it was not an operator that failed. `context` is the batch's. About twice the work of the batch.
std::optional<int64_t> FindFailedRow(const Pipeline& failed, const EvalContext& context,
                                     const arrow::RecordBatch& batch, const arrow::Status& error);

}  // namespace tidemill::worker
