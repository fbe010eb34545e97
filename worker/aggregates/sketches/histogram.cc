// histogram_numeric. The accumulator is a NumericHistogram. The rows of one group that follow each
// other in a batch are added at once; each such run, and each partial result, rewrites the group's
// bins, 16 bytes each.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <string>

#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/sketches/number_columns.h"
#include "worker/aggregates/sketches/numeric_histogram.h"

namespace tidemill::worker::internal {

namespace {

class HistogramKernel final : public AggregateKernel {
 public:
  HistogramKernel(const BoundAggregate& signature, NumberReader read)
      : AggregateKernel(signature),
        bins_(static_cast<size_t>(signature.constants.size)),
        read_(read) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    for (int64_t i = begin; i < end;) {
      const uint32_t row = target[i - begin];
      ARROW_ASSIGN_OR_RAISE(NumericHistogram histogram, Read(row, columns));
      const size_t before = histogram.bins().size();
      bool has_added = false;
      for (; i < end && target[i - begin] == row; ++i) {
        if (args[0]->IsNull(i)) continue;
        histogram.Add(read_(*args[0], i));
        has_added = true;
      }
      if (has_added || before > 0) Write(histogram, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const auto& cells = static_cast<const arrow::BinaryArray&>(*partial[0]);
    for (int64_t i = begin; i < end; ++i) {
      if (cells.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      ARROW_ASSIGN_OR_RAISE(NumericHistogram histogram, Read(row, columns));
      ARROW_ASSIGN_OR_RAISE(const NumericHistogram added,
                            NumericHistogram::Decode(bins_, cells.GetView(i)));
      histogram.ResetGenerator();
      histogram.Merge(added);
      Write(histogram, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
    auto& lists = static_cast<arrow::ListBuilder&>(*builder);
    auto& bins = static_cast<arrow::StructBuilder&>(*lists.value_builder());
    const auto& cells = static_cast<const arrow::BinaryArray&>(*state[0]);
    for (int64_t i = 0; i < cells.length(); ++i) {
      if (cells.IsNull(i)) {
        ARROW_RETURN_NOT_OK(lists.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const NumericHistogram histogram,
                            NumericHistogram::Decode(bins_, cells.GetView(i)));
      ARROW_RETURN_NOT_OK(lists.Append());
      for (const NumericHistogram::Bin& bin : histogram.bins()) {
        ARROW_RETURN_NOT_OK(bins.Append());
        ARROW_RETURN_NOT_OK(AppendNumber(bin.x, bins.field_builder(0)));
        ARROW_RETURN_NOT_OK(AppendNumber(bin.y, bins.field_builder(1)));
      }
    }
    return lists.Finish();
  }

 private:
  arrow::Result<NumericHistogram> Read(uint32_t row, const state::StateColumn* columns) const {
    if (columns[0].validity()[row] == 0) return NumericHistogram(bins_);
    return NumericHistogram::Decode(bins_, columns[0].GetBytes(row));
  }
  static void Write(const NumericHistogram& histogram, uint32_t row, state::StateColumn* columns) {
    std::string bytes;
    histogram.EncodeTo(&bytes);
    columns[0].SetBytes(row, bytes);
  }

  const size_t bins_;
  const NumberReader read_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeHistogramKernel(const BoundAggregate& signature) {
  const NumberReader read = NumberReaderOf(*signature.input_types[0]);
  if (read == nullptr) return nullptr;
  return std::make_shared<HistogramKernel>(signature, read);
}

}  // namespace tidemill::worker::internal
