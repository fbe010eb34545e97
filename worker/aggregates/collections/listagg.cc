// listagg: texts or bytes of all rows, one behind the other. Adding and merging append to the
// accumulator, so a batch costs what it adds; an epoch's changelog holds the text of each group
// that it changed, once, as does the output.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/comparison.h"
#include "state/table/row_codec.h"
#include "worker/aggregates/collections/appended_cells.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// In the order of the rows. The accumulator: the result so far, NULL until a value was seen.
class ListaggKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const std::string& delimiter = signature().constants.delimiter;
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      if (columns[0].validity()[row] != 0) {
        ARROW_RETURN_NOT_OK(columns[0].AppendBytes(row, delimiter));
      }
      ARROW_RETURN_NOT_OK(columns[0].AppendBytes(row, CellOf(*args[0], i)));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return Update(partial, begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    if (signature().type->id() == arrow::Type::BINARY) return state[0];
    return state[0]->View(signature().type);
  }
};

// In the order of keys. The accumulator: value and keys of each row, as columns of row_codec.h.
class OrderedListaggKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    state::PodVector<uint8_t> row;
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i)) continue;
      row.Clear();
      for (const auto& arg : args) state::AppendEncoded(*arg, i, /*normalise=*/false, &row);
      ARROW_RETURN_NOT_OK(columns[0].AppendBytes(target[i - begin], View(row)));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return AppendCells(*partial[0], begin, end, target, &columns[0]);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    std::unique_ptr<arrow::ArrayBuilder> made;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &made));
    auto& builder = static_cast<arrow::BinaryBuilder&>(*made);
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      if (state[0]->IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const arrow::ArrayVector rows, Decode(CellOf(*state[0], i), pool));
      ARROW_RETURN_NOT_OK(builder.Append(Join(rows)));
    }
    return builder.Finish();
  }

 private:
  arrow::Result<arrow::ArrayVector> Decode(std::string_view bytes, arrow::MemoryPool* pool) const {
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders(signature().input_types.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().input_types[i], &builders[i]));
    }
    const auto* cursor = reinterpret_cast<const uint8_t*>(bytes.data());
    const uint8_t* const end = cursor + bytes.size();
    while (cursor < end) {
      for (auto& builder : builders) {
        ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, builder.get()));
      }
    }
    arrow::ArrayVector columns(builders.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_RETURN_NOT_OK(builders[i]->Finish(&columns[i]));
    }
    return columns;
  }

  std::string Join(const arrow::ArrayVector& rows) const {
    std::vector<int64_t> order(rows[0]->length());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return IsBefore(rows, a, b); });
    std::string text;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0) text += signature().constants.delimiter;
      text += CellOf(*rows[0], order[i]);
    }
    return text;
  }
  bool IsBefore(const arrow::ArrayVector& rows, int64_t a, int64_t b) const {
    for (size_t key = 0; key < signature().order.size(); ++key) {
      const AggregateOrder& by = signature().order[key];
      const arrow::Array& values = *rows[key + 1];
      if (values.IsNull(a) != values.IsNull(b)) return values.IsNull(a) == by.nulls_first;
      const int compared = CompareRows(values, a, values, b);
      if (compared != 0) return by.is_descending ? compared > 0 : compared < 0;
    }
    return false;
  }
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeListaggKernel(const BoundAggregate& signature) {
  if (signature.order.empty()) return std::make_shared<ListaggKernel>(signature);
  return std::make_shared<OrderedListaggKernel>(signature);
}

}  // namespace tidemill::worker::internal
