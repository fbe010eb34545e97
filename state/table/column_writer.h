#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <span>

#include "state/table/state_column.h"

namespace tidemill::state {

// Writes values[picked[i]] into row rows[i] of the column, which has the array's type. The rows are
// writable (new or touched).
void WriteValues(const arrow::Array& values, std::span<const uint32_t> picked,
                 std::span<const uint32_t> rows, StateColumn* column);

}  // namespace tidemill::state
