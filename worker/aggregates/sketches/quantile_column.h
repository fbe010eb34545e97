#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/aggregates/aggregate_registry.h"
#include "state/table/state_column.h"
#include "worker/aggregates/sketches/number_columns.h"

namespace tidemill::worker::internal {

// What approx_percentile and tdigest_percentile share: an accumulator that is the bytes of a
// summary with numbers appended to it, and a result of one quantile or a list of them. Pure
// functions.

// Appends a number to the summary of a row, to an `empty` one where there is none yet; the bytes
// then, valid until the column changes.
inline arrow::Result<std::string_view> AppendToSummary(double value, uint32_t row,
                                                       std::string_view empty,
                                                       state::StateColumn* column) {
  if (column->validity()[row] == 0) column->SetBytes(row, empty);
  ARROW_RETURN_NOT_OK(
      column->AppendBytes(row, {reinterpret_cast<const char*>(&value), sizeof(value)}));
  return column->GetBytes(row);
}

// AggregateKernel::Finish: `decode` makes a Summary of bytes, or of nothing an empty one. NULL
// where it is empty or no quantile is asked for.
template <class Decode>
arrow::Result<std::shared_ptr<arrow::Array>> FinishQuantiles(const BoundAggregate& signature,
                                                             const arrow::Array& state,
                                                             arrow::MemoryPool* pool,
                                                             Decode decode) {
  const AggregateConstants& constants = signature.constants;
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature.type, &builder));
  auto* const list = constants.is_list ? static_cast<arrow::ListBuilder*>(builder.get()) : nullptr;
  arrow::ArrayBuilder* const values = list != nullptr ? list->value_builder() : builder.get();
  const auto& cells = static_cast<const arrow::BinaryArray&>(state);
  for (int64_t i = 0; i < cells.length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto summary,
                          decode(cells.IsValid(i) ? cells.GetView(i) : std::string_view()));
    if (summary.empty() || constants.fractions.empty()) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    if (list != nullptr) ARROW_RETURN_NOT_OK(list->Append());
    for (const double fraction : constants.fractions) {
      ARROW_RETURN_NOT_OK(AppendNumber(summary.Query(fraction), values));
    }
  }
  return builder->Finish();
}

}  // namespace tidemill::worker::internal
