#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "worker/exchange/frame.h"

namespace tidemill::worker {

// The rows for which `mask` (BOOLEAN, a value per row) is true; NULL is not. Runs stay exact. The
// batch itself where that is all of them; a batch without rows where it is none.
arrow::Result<Rows> KeepRows(Rows rows, const std::shared_ptr<arrow::Array>& mask);

}  // namespace tidemill::worker
