// tdigest_percentile. The accumulator is a TDigest: numbers are appended to it and taken in by the
// hundreds; merging rewrites the digest of a group once per partial result, and an epoch's
// changelog holds the digest of each group that it changed: about compression clusters, 16 bytes
// each, and numbers that wait.
#include <arrow/array.h>
#include <arrow/type.h>

#include <string>

#include "worker/aggregates/kernel_makers.h"
#include "worker/aggregates/sketches/quantile_column.h"
#include "worker/aggregates/sketches/t_digest.h"

namespace tidemill::worker::internal {

namespace {

class TDigestKernel final : public AggregateKernel {
 public:
  explicit TDigestKernel(const BoundAggregate& signature)
      : AggregateKernel(signature),
        compression_(static_cast<double>(signature.constants.size)),
        empty_(TDigest::EmptyBytes()) {}

  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    const auto& values = static_cast<const arrow::DoubleArray&>(*args[0]);
    const size_t most = TDigest(compression_).most_appended();
    for (int64_t i = begin; i < end; ++i) {
      if (values.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes,
                            AppendToSummary(values.Value(i), row, empty_, &columns[0]));
      if (TDigest::CountAppended(bytes) < most) continue;
      ARROW_ASSIGN_OR_RAISE(const TDigest digest, TDigest::Decode(compression_, bytes));
      Write(digest, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Status Merge(std::span<const std::shared_ptr<arrow::Array>> partial, int64_t begin,
                      int64_t end, const uint32_t* target,
                      state::StateColumn* columns) const override {
    const auto& digests = static_cast<const arrow::BinaryArray&>(*partial[0]);
    for (int64_t i = begin; i < end; ++i) {
      if (digests.IsNull(i)) continue;
      const uint32_t row = target[i - begin];
      TDigest digest(compression_);
      if (columns[0].validity()[row] != 0) {
        ARROW_ASSIGN_OR_RAISE(const TDigest before,
                              TDigest::Decode(compression_, columns[0].GetBytes(row)));
        digest.Merge(before);
      }
      ARROW_ASSIGN_OR_RAISE(const TDigest added, TDigest::Decode(compression_, digests.GetView(i)));
      digest.Merge(added);
      Write(digest, row, columns);
    }
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      std::span<const std::shared_ptr<arrow::Array>> state,
      arrow::MemoryPool* pool) const override {
    return FinishQuantiles(
        signature(), *state[0], pool, [this](std::string_view bytes) -> arrow::Result<TDigest> {
          TDigest digest(compression_);
          if (bytes.empty()) return digest;
          ARROW_ASSIGN_OR_RAISE(const TDigest decoded, TDigest::Decode(compression_, bytes));
          digest.Merge(decoded);
          return digest;
        });
  }

 private:
  static void Write(const TDigest& digest, uint32_t row, state::StateColumn* columns) {
    std::string bytes;
    digest.EncodeTo(&bytes);
    columns[0].SetBytes(row, bytes);
  }

  const double compression_;
  const std::string empty_;
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakeTDigestKernel(const BoundAggregate& signature) {
  return std::make_shared<TDigestKernel>(signature);
}

}  // namespace tidemill::worker::internal
