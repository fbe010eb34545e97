#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tidemill::worker {

// Spark's order of values: NaN equals itself and is above every number.
template <class Value>
int CompareValues(const Value& a, const Value& b) {
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(a) || std::isnan(b)) {
      return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
    }
  }
  return a < b ? -1 : (b < a ? 1 : 0);
}

// Order of two values of a type that are encoded as columns (state/table/row_codec.h): negative, 0
// or positive. NULL is below everything; structs and arrays compare from left to right, a shorter
// array being below a longer one that begins with it. Errors: CHECKPOINT_CORRUPT (kCorrupt) where
// the bytes end early or mean nothing.
arrow::Result<int> CompareEncoded(const arrow::DataType& type, std::string_view a,
                                  std::string_view b);

}  // namespace tidemill::worker
