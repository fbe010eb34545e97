// max_by(x, y, k), min_by(x, y, k): the values of the k rows whose keys come first. The accumulator
// is rows of value and key, as columns of row_codec.h, and how many of its bytes are the best so
// far: what came after them is sorted in once it is as long, so that adding costs little on average
// and the bytes stay within about twice those of k rows.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "common/functions/comparison.h"
#include "state/table/row_codec.h"
#include "worker/aggregates/collections/appended_cells.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// Below this, sorting is not worth while.
constexpr size_t kLeastBytes = 512;

class TopByKeyKernel final : public AggregateKernel {
 public:
  explicit TopByKeyKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_max_(signature.name == "max_by") {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    state::PodVector<uint8_t> row;
    for (int64_t i = begin; i < end; ++i) {
      if (args[1]->IsNull(i)) continue;
      row.Clear();
      for (const auto& arg : args) state::AppendEncoded(*arg, i, /*normalise=*/false, &row);
      ARROW_RETURN_NOT_OK(Append(View(row), target[i - begin], columns));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    for (int64_t i = begin; i < end; ++i) {
      if (partial[0]->IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(Append(CellOf(*partial[0], i), target[i - begin], columns));
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    std::unique_ptr<arrow::ArrayBuilder> made;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &made));
    auto& lists = static_cast<arrow::ListBuilder&>(*made);
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      if (state[0]->IsNull(i)) {
        ARROW_RETURN_NOT_OK(lists.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const Rows rows, Decode(CellOf(*state[0], i), pool));
      ARROW_RETURN_NOT_OK(lists.Append());
      for (const int64_t row : BestOf(*rows.keys)) {
        ARROW_RETURN_NOT_OK(lists.value_builder()->AppendArraySlice(*rows.values->data(), row, 1));
      }
    }
    return lists.Finish();
  }

 private:
  struct Rows {
    std::shared_ptr<arrow::Array> values;
    std::shared_ptr<arrow::Array> keys;
  };

  arrow::Status Append(std::string_view rows, uint32_t target, state::StateColumn* columns) const {
    ARROW_RETURN_NOT_OK(columns[0].AppendBytes(target, rows));
    int64_t* sorted_bytes = columns[1].values<int64_t>() + target;
    columns[1].validity()[target] = 1;
    const std::string_view bytes = columns[0].GetBytes(target);
    const size_t before =
        std::min(bytes.size(), static_cast<size_t>(std::max<int64_t>(*sorted_bytes, 0)));
    if (bytes.size() - before <= std::max(kLeastBytes, before)) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(const Rows decoded, Decode(bytes, arrow::default_memory_pool()));
    state::PodVector<uint8_t> kept;
    for (const int64_t row : BestOf(*decoded.keys)) {
      state::AppendEncoded(*decoded.values, row, /*normalise=*/false, &kept);
      state::AppendEncoded(*decoded.keys, row, /*normalise=*/false, &kept);
    }
    columns[0].SetBytes(target, View(kept));
    *sorted_bytes = static_cast<int64_t>(kept.size());
    return arrow::Status::OK();
  }

  arrow::Result<Rows> Decode(std::string_view bytes, arrow::MemoryPool* pool) const {
    std::unique_ptr<arrow::ArrayBuilder> values;
    std::unique_ptr<arrow::ArrayBuilder> keys;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().input_types[0], &values));
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().input_types[1], &keys));
    const auto* cursor = reinterpret_cast<const uint8_t*>(bytes.data());
    const uint8_t* const end = cursor + bytes.size();
    while (cursor < end) {
      ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, values.get()));
      ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, keys.get()));
    }
    Rows rows;
    ARROW_RETURN_NOT_OK(values->Finish(&rows.values));
    ARROW_RETURN_NOT_OK(keys->Finish(&rows.keys));
    return rows;
  }

  // The numbers of the rows with the first keys, best first, equal ones in the rows' order.
  std::vector<int64_t> BestOf(const arrow::Array& keys) const {
    std::vector<int64_t> order(static_cast<size_t>(keys.length()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      const int compared = CompareRows(keys, a, keys, b);
      return is_max_ ? compared > 0 : compared < 0;
    });
    order.resize(std::min(order.size(), static_cast<size_t>(signature().constants.size)));
    return order;
  }

  const bool is_max_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeTopByKeyKernel(const BoundAggregate& signature) {
  return std::make_shared<TopByKeyKernel>(signature);
}

}  // namespace tidemill::worker::internal
