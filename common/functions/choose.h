#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/functions/columns.h"

namespace tidemill {

// A column that takes each row from one of `values`, whose number `choice[row]` is; NULL for a
// negative one. Values that are chosen are of `type`.
arrow::Result<arrow::Datum> ChooseColumns(const EvalContext& context,
                                          std::span<const arrow::Datum> values,
                                          const std::vector<int64_t>& choice,
                                          const std::shared_ptr<arrow::DataType>& type);

}  // namespace tidemill
