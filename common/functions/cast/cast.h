#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "common/expr/function_registry.h"

namespace tidemill {

// The kernel of CAST (or TRY_CAST, which gives NULL where CAST fails) with Spark's ANSI rules:
// CAST_INVALID_INPUT for malformed text, CAST_OVERFLOW for numbers out of range. The types must be
// castable (CanCast). Only casts between text or dates and TIMESTAMP read the context's time zone.
arrow::Result<Kernel> MakeCastKernel(const std::shared_ptr<arrow::DataType>& from,
                                     const std::shared_ptr<arrow::DataType>& to, bool is_try);

}  // namespace tidemill
