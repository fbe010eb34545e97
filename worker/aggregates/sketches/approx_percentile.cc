// approx_percentile. The accumulator is a QuantileSummary: numbers are appended to it and taken in
// by the ten thousands; merging rewrites the summary of a group once per partial result, and an
// epoch's changelog holds the summary of each group that it changed: up to about accuracy values,
// 24 bytes each.
#include <arrow/array.h>
#include <arrow/type.h>

#include <string>

#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/sketches/number_columns.h"
#include "worker/aggregates/sketches/quantile_column.h"
#include "worker/aggregates/sketches/quantile_summary.h"

namespace tidemill::worker::internal {

namespace {

// Spark compresses no smaller sample while it adds.
constexpr size_t kCompressedSamples = 10'000;

class ApproxPercentileKernel final : public AggregateKernel {
 public:
  ApproxPercentileKernel(const BoundAggregate& signature, NumberReader read)
      : AggregateKernel(signature),
        error_(1.0 / static_cast<double>(signature.constants.size)),
        read_(read) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const std::string empty(QuantileSummary::kHeaderBytes, 0);
    const bool has_nulls = args[0]->null_count() > 0;
    for (int64_t i = begin; i < end; ++i) {
      if (has_nulls && args[0]->IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes,
                            AppendToSummary(read_(*args[0], i), row, empty, &columns[0]));
      if (QuantileSummary::CountAppended(bytes) < QuantileSummary::kMostAppended) continue;
      ARROW_ASSIGN_OR_RAISE(QuantileSummary summary, QuantileSummary::Decode(error_, bytes));
      if (summary.num_samples() >= kCompressedSamples) summary.Compress();
      Write(summary, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const auto& summaries = static_cast<const arrow::BinaryArray&>(*partial[0]);
    for (int64_t i = begin; i < end; ++i) {
      if (summaries.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      ARROW_ASSIGN_OR_RAISE(QuantileSummary added,
                            QuantileSummary::Decode(error_, summaries.GetView(i)));
      added.Compress();
      if (columns[0].validity()[row] == 0) {
        Write(added, row, columns);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(QuantileSummary summary,
                            QuantileSummary::Decode(error_, columns[0].GetBytes(row)));
      summary.Merge(added);
      Write(summary, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return FinishQuantiles(signature(), *state[0], pool,
                           [this](std::string_view bytes) -> arrow::Result<QuantileSummary> {
                             QuantileSummary summary(error_);
                             if (bytes.empty()) return summary;
                             ARROW_ASSIGN_OR_RAISE(QuantileSummary decoded,
                                                   QuantileSummary::Decode(error_, bytes));
                             summary.Merge(decoded);
                             return summary;
                           });
  }

 private:
  static void Write(const QuantileSummary& summary, uint32_t row, state::StateColumn* columns) {
    std::string bytes;
    summary.EncodeTo(&bytes);
    columns[0].SetBytes(row, bytes);
  }

  const double error_;
  const NumberReader read_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeApproxPercentileKernel(const BoundAggregate& signature) {
  const NumberReader read = NumberReaderOf(*signature.input_types[0]);
  if (read == nullptr) return nullptr;
  return std::make_shared<ApproxPercentileKernel>(signature, read);
}

}  // namespace tidemill::worker::internal
