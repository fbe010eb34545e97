// collect_list and collect_set.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <vector>

#include "state/table/row_codec.h"
#include "worker/aggregates/collections/appended_cells.h"
#include "worker/aggregates/collections/bag.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// The accumulator: the values as columns of row_codec.h, one after the other. Adding and merging
// append, so a batch costs what it adds; an epoch's changelog holds the list of each group that it
// changed, once, as does the output.
class CollectListKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const arrow::Array& values = *args[0];
    const bool has_nulls = values.null_count() > 0;
    state::PodVector<uint8_t> encoded;
    for (int64_t i = begin; i < end;) {
      // Rows of one group that follow each other are appended together.
      const uint32_t row = target[i - begin];
      encoded.Clear();
      for (; i < end && target[i - begin] == row; ++i) {
        if (has_nulls && values.IsNull(i)) continue;
        state::AppendEncoded(values, i, /*normalise=*/false, &encoded);
      }
      if (!encoded.empty()) ARROW_RETURN_NOT_OK(columns[0].AppendBytes(row, View(encoded)));
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    return AppendCells(*partial[0], begin, end, target, &columns[0]);
  }
  // A group without values has an empty list.
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
    auto& lists = static_cast<arrow::ListBuilder&>(*builder);
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      ARROW_RETURN_NOT_OK(lists.Append());
      if (state[0]->IsNull(i)) continue;
      const std::string_view bytes = CellOf(*state[0], i);
      const auto* cursor = reinterpret_cast<const uint8_t*>(bytes.data());
      const uint8_t* const end = cursor + bytes.size();
      while (cursor < end) {
        ARROW_RETURN_NOT_OK(state::ReadEncoded(&cursor, end, lists.value_builder()));
      }
    }
    return lists.Finish();
  }
};

// The accumulator: a bag (bag.h) of encoded values.
class CollectSetKernel final : public AggregateKernel {
 public:
  using AggregateKernel::AggregateKernel;

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    BagWriter bags(columns);
    state::PodVector<uint8_t> encoded;
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i)) continue;
      encoded.Clear();
      state::AppendEncoded(*args[0], i, /*normalise=*/true, &encoded);
      ARROW_RETURN_NOT_OK(bags.Add(target[i - begin], View(encoded), 1));
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
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
    auto& lists = static_cast<arrow::ListBuilder&>(*builder);
    std::vector<BagEntry> entries;
    for (int64_t i = 0; i < state[0]->length(); ++i) {
      ARROW_RETURN_NOT_OK(lists.Append());
      if (state[0]->IsNull(i)) continue;
      ARROW_RETURN_NOT_OK(ReadBag(CellOf(*state[0], i), &entries));
      for (const BagEntry& entry : entries) {
        ARROW_RETURN_NOT_OK(AppendDecoded(entry.value, lists.value_builder()));
      }
    }
    return lists.Finish();
  }
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeCollectListKernel(const BoundAggregate& signature) {
  return std::make_shared<CollectListKernel>(signature);
}

std::shared_ptr<const AggregateKernel> MakeCollectSetKernel(const BoundAggregate& signature) {
  return std::make_shared<CollectSetKernel>(signature);
}

}  // namespace tidemill::worker::internal
