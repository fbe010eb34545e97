#include "worker/slot/failed_row.h"

#include <arrow/record_batch.h>

#include <memory>
#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

namespace {

class Discarded final : public RowConsumer {
 public:
  arrow::Status Consume(Rows rows) override { return arrow::Status::OK(); }
};

bool IsSame(const arrow::Status& a, const arrow::Status& b) {
  if (ErrorClassOf(a) != ErrorClassOf(b) || a.message() != b.message()) return false;
  const ErrorDetail* left = DetailOf(a);
  const ErrorDetail* right = DetailOf(b);
  if (left == nullptr || right == nullptr) return left == right;
  const Span none{-1, -1};
  const Span x = left->span.value_or(none);
  const Span y = right->span.value_or(none);
  return x.begin == y.begin && x.end == y.end;
}

}  // namespace

bool NeedsPlace(const arrow::Status& error) {
  const ErrorDetail* detail = DetailOf(error);
  return KindOf(error) == ErrorKind::kJobFailed && (detail == nullptr || detail->place.empty());
}

std::optional<int64_t> FindFailedRow(const Pipeline& failed, const EvalContext& context,
                                     const arrow::RecordBatch& batch, const arrow::Status& error) {
  auto made = Pipeline::Make(failed.stage(), /*states=*/nullptr, failed.broadcasts());
  if (!made.ok() || failed.epoch() == nullptr) return std::nullopt;
  const std::unique_ptr<Pipeline> pipeline = *std::move(made);
  const auto fails = [&](int64_t begin, int64_t end) {
    EvalContext of_part = context;
    of_part.first_row += begin;
    Discarded nowhere;
    pipeline->Begin(*failed.epoch());
    const arrow::Status status =
        pipeline->Process(of_part, {batch.Slice(begin, end - begin), {}}, &nowhere);
    pipeline->Reset();
    return !status.ok() && IsSame(status, error);
  };
  int64_t begin = 0;
  int64_t end = batch.num_rows();
  if (!fails(begin, end)) return std::nullopt;
  while (end - begin > 1) {
    const int64_t middle = begin + (end - begin) / 2;
    if (fails(begin, middle)) {
      end = middle;
    } else if (fails(middle, end)) {
      begin = middle;
    } else {
      return std::nullopt;
    }
  }
  return begin;
}

}  // namespace tidemill::worker
