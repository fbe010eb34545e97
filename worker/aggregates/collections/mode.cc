// mode: the most frequent value. The accumulator is a bag (bag.h) of encoded values.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <vector>

#include "common/aggregates/aggregate_catalog.h"
#include "state/table/row_codec.h"
#include "worker/aggregates/collections/bag.h"
#include "worker/aggregates/encoded_order.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// Of several values that are equally frequent the smallest counts (under ORDER BY ... DESC the
// largest), or the first one where the type has no order.
class ModeKernel final : public AggregateKernel {
 public:
  explicit ModeKernel(const BoundAggregate& signature)
      : AggregateKernel(signature), is_orderable_(IsOrderable(*signature.type)) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    BagWriter bags(columns);
    state::PodVector<uint8_t> encoded;
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i)) continue;
      encoded.Clear();
      state::AppendEncoded(*args[0], i, /*normalise=*/true, &encoded);
      const std::string_view value(reinterpret_cast<const char*>(encoded.data()), encoded.size());
      ARROW_RETURN_NOT_OK(bags.Add(target[i - begin], value, 1));
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
    const auto& cells = static_cast<const arrow::BinaryArray&>(*state[0]);
    std::vector<BagEntry> entries;
    for (int64_t i = 0; i < cells.length(); ++i) {
      entries.clear();
      if (cells.IsValid(i)) ARROW_RETURN_NOT_OK(ReadBag(cells.GetView(i), &entries));
      if (entries.empty()) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      BagEntry best = entries.front();
      for (const BagEntry& entry : entries) {
        ARROW_ASSIGN_OR_RAISE(const bool is_better, IsBetter(entry, best));
        if (is_better) best = entry;
      }
      ARROW_RETURN_NOT_OK(AppendDecoded(best.value, builder.get()));
    }
    return builder->Finish();
  }

 private:
  arrow::Result<bool> IsBetter(const BagEntry& entry, const BagEntry& best) const {
    if (entry.count != best.count) return entry.count > best.count;
    if (!is_orderable_) return false;
    ARROW_ASSIGN_OR_RAISE(const int order,
                          CompareEncoded(*signature().type, entry.value, best.value));
    return signature().constants.is_descending ? order > 0 : order < 0;
  }

  const bool is_orderable_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeModeKernel(const BoundAggregate& signature) {
  return std::make_shared<ModeKernel>(signature);
}

}  // namespace tidemill::worker::internal
