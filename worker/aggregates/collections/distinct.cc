// DISTINCT in a call of any aggregate function. The accumulator is a bag (bag.h) of encoded tuples
// of the inputs; what the function itself makes of them is computed when a result is wanted, from
// the tuples in the order of their first rows.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <numeric>
#include <utility>
#include <vector>

#include "state/table/row_codec.h"
#include "worker/aggregates/collections/bag.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

class DistinctKernel final : public AggregateKernel {
 public:
  DistinctKernel(const BoundAggregate& signature, std::shared_ptr<const AggregateKernel> inner)
      : AggregateKernel(signature), inner_(std::move(inner)) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    BagWriter bags(columns);
    state::PodVector<uint8_t> tuple;
    for (int64_t i = begin; i < end; ++i) {
      tuple.Clear();
      for (const auto& arg : args) state::AppendEncoded(*arg, i, /*normalise=*/true, &tuple);
      const std::string_view bytes(reinterpret_cast<const char*>(tuple.data()), tuple.size());
      ARROW_RETURN_NOT_OK(bags.Add(target[i - begin], bytes, 1));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return MergeBags(*partial[0], begin, end, target, columns);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    const auto& cells = static_cast<const arrow::BinaryArray&>(*state[0]);
    std::vector<uint32_t> target;
    ARROW_ASSIGN_OR_RAISE(const arrow::ArrayVector inputs, DecodeTuples(cells, &target, pool));
    std::vector<state::StateColumn> columns;
    for (const auto& type : inner_->signature().state_types) {
      columns.emplace_back(type).AddRows(static_cast<uint32_t>(cells.length()));
    }
    ARROW_RETURN_NOT_OK(inner_->Update(inputs, 0, static_cast<int64_t>(target.size()),
                                       target.data(), columns.data()));
    std::vector<uint32_t> rows(cells.length());
    std::iota(rows.begin(), rows.end(), 0);
    arrow::ArrayVector accumulators;
    for (const state::StateColumn& column : columns) {
      ARROW_ASSIGN_OR_RAISE(auto array, column.ToArray(rows, pool));
      accumulators.push_back(std::move(array));
    }
    return inner_->Finish(accumulators, pool);
  }

 private:
  // The tuples of all groups as columns, and the group of each.
  arrow::Result<arrow::ArrayVector> DecodeTuples(const arrow::BinaryArray& cells,
                                                 std::vector<uint32_t>* target,
                                                 arrow::MemoryPool* pool) const {
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders(signature().input_types.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().input_types[i], &builders[i]));
    }
    std::vector<BagEntry> entries;
    for (int64_t group = 0; group < cells.length(); ++group) {
      if (cells.IsNull(group)) continue;
      ARROW_RETURN_NOT_OK(ReadBag(cells.GetView(group), &entries));
      for (const BagEntry& entry : entries) {
        const auto* cursor = reinterpret_cast<const uint8_t*>(entry.value.data());
        const uint8_t* const end = cursor + entry.value.size();
        for (auto& builder : builders) {
          ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, builder.get()));
        }
        if (cursor != end) return state::CorruptState("encoded tuple has bytes left over");
        target->push_back(static_cast<uint32_t>(group));
      }
    }
    arrow::ArrayVector inputs(builders.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_RETURN_NOT_OK(builders[i]->Finish(&inputs[i]));
    }
    return inputs;
  }

  const std::shared_ptr<const AggregateKernel> inner_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeDistinctKernel(
    const BoundAggregate& signature, std::shared_ptr<const AggregateKernel> inner) {
  return std::make_shared<DistinctKernel>(signature, std::move(inner));
}

}  // namespace tidemill::worker::internal
