#include "worker/aggregates/accumulators.h"

#include <arrow/array.h>

namespace tidemill::worker {

std::vector<std::shared_ptr<arrow::DataType>> Accumulators::TypesOf(const Kernels& kernels) {
  std::vector<std::shared_ptr<arrow::DataType>> all;
  for (const auto& kernel : kernels) {
    const auto& types = kernel->signature().state_types;
    all.insert(all.end(), types.begin(), types.end());
  }
  return all;
}

arrow::Status Accumulators::Merge(std::span<const std::shared_ptr<arrow::Array>> partial,
                                  int64_t begin, int64_t end, const uint32_t* target,
                                  state::HotTable* table) const {
  int column = first_column_;
  for (const auto& kernel : kernels_) {
    const size_t width = kernel->signature().state_types.size();
    ARROW_RETURN_NOT_OK(
        kernel->Merge(partial.first(width), begin, end, target, &table->column(column)));
    partial = partial.subspan(width);
    column += static_cast<int>(width);
  }
  return arrow::Status::OK();
}

arrow::Status Accumulators::Finish(std::span<const std::shared_ptr<arrow::Array>> accumulators,
                                   arrow::MemoryPool* pool,
                                   std::vector<std::shared_ptr<arrow::Array>>* columns) const {
  for (const auto& kernel : kernels_) {
    const size_t width = kernel->signature().state_types.size();
    ARROW_ASSIGN_OR_RAISE(auto result, kernel->Finish(accumulators.first(width), pool));
    columns->push_back(std::move(result));
    accumulators = accumulators.subspan(width);
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
