#pragma once

#include <arrow/array.h>
#include <arrow/status.h>

#include <cstdint>
#include <string_view>

#include "state/table/pod_vector.h"
#include "state/table/state_column.h"

namespace tidemill::worker::internal {

// Accumulators that are bytes to which more bytes are appended. Pure functions.

inline std::string_view View(const state::PodVector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// STRING and BINARY alike.
inline std::string_view CellOf(const arrow::Array& cells, int64_t i) {
  return static_cast<const arrow::BinaryArray&>(cells).GetView(i);
}

// AggregateKernel::Merge where merging is appending.
inline arrow::Status AppendCells(const arrow::Array& partial, int64_t begin, int64_t end,
                                 const uint32_t* target, state::StateColumn* column) {
  for (int64_t i = begin; i < end; ++i) {
    if (partial.IsNull(i)) continue;
    ARROW_RETURN_NOT_OK(column->AppendBytes(target[i - begin], CellOf(partial, i)));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker::internal
