#include "worker/operators/window/frame_aggregate.h"

#include <arrow/array.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace tidemill::worker {

namespace {

void CopyRow(uint32_t from, uint32_t to, state::StateColumn* column) {
  if (column->width() < 0 && column->validity()[from] != 0) {
    column->SetBytes(to, std::string(column->GetBytes(from)));
    return;
  }
  column->validity()[to] = column->validity()[from];
  const auto width = static_cast<size_t>(std::max(column->width(), 0));
  uint8_t* bytes = column->values<uint8_t>();
  std::copy_n(bytes + from * width, width, bytes + to * width);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> AggregateFrames(
    const AggregateKernel& kernel, std::span<const std::shared_ptr<arrow::Array>> args,
    const Frames& frames, arrow::MemoryPool* pool) {
  const auto num_rows = static_cast<uint32_t>(frames.begin.size());
  std::vector<state::StateColumn> columns;
  for (const auto& type : kernel.signature().state_types) {
    columns.emplace_back(type);
    columns.back().AddRows(num_rows);
  }
  std::vector<uint32_t> target;
  for (uint32_t i = 0; i < num_rows; ++i) {
    int64_t begin = frames.begin[i];
    const int64_t end = frames.end[i];
    const bool is_grown = i > 0 && begin == frames.begin[i - 1] && end >= frames.end[i - 1] &&
                          frames.end[i - 1] > begin;
    if (is_grown) {
      for (state::StateColumn& column : columns) CopyRow(i - 1, i, &column);
      begin = frames.end[i - 1];
    }
    if (begin == end) continue;
    target.assign(end - begin, i);
    ARROW_RETURN_NOT_OK(kernel.Update(args, begin, end, target.data(), columns.data()));
  }
  std::vector<uint32_t> rows(num_rows);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<std::shared_ptr<arrow::Array>> accumulators;
  for (const state::StateColumn& column : columns) {
    ARROW_ASSIGN_OR_RAISE(auto array, column.ToArray(rows, pool));
    accumulators.push_back(std::move(array));
  }
  return kernel.Finish(accumulators, pool);
}

}  // namespace tidemill::worker
