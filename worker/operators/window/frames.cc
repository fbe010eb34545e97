#include "worker/operators/window/frames.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "worker/operators/sort_order.h"

namespace tidemill::worker {

namespace {

using Bound = WindowFramePlan::Bound;

// Ranks of the order key and of a bound's values, comparable with each other.
struct RangeRanks {
  std::vector<uint64_t> keys;
  std::vector<uint64_t> bounds;
};

arrow::Result<RangeRanks> RanksOfRange(const EvalContext& context, const WindowPlan& plan,
                                       const Bound& bound, const SortedPartitions& sorted) {
  ARROW_ASSIGN_OR_RAISE(auto keys, plan.order.keys[0]->Evaluate(context, *sorted.rows));
  ARROW_ASSIGN_OR_RAISE(auto values, bound.value->Evaluate(context, *sorted.rows));
  ARROW_ASSIGN_OR_RAISE(auto both, arrow::Concatenate({keys, values}, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto ranks,
                        RanksOf(both, plan.order.descending[0], plan.order.nulls_first[0]));
  RangeRanks range;
  range.keys.assign(ranks.begin(), ranks.begin() + sorted.num_rows());
  range.bounds.assign(ranks.begin() + sorted.num_rows(), ranks.end());
  return range;
}

// Where the frame of each row begins (or, `is_end`, ends) by one of its bounds, not yet cut to the
// partition.
arrow::Result<std::vector<int64_t>> PlacesOf(const EvalContext& context, const WindowPlan& plan,
                                             const Bound& bound, bool is_end,
                                             const SortedPartitions& sorted) {
  std::vector<int64_t> places(sorted.num_rows());
  RangeRanks range;
  if (bound.kind == Bound::Kind::kValue) {
    ARROW_ASSIGN_OR_RAISE(range, RanksOfRange(context, plan, bound, sorted));
  }
  for (size_t partition = 0; partition < sorted.num_partitions(); ++partition) {
    const int64_t begin = sorted.begins[partition];
    const int64_t end = sorted.begins[partition + 1];
    for (int64_t i = begin; i < end; ++i) {
      switch (bound.kind) {
        case Bound::Kind::kUnbounded:
          places[i] = is_end ? end : begin;
          break;
        case Bound::Kind::kRows:
          places[i] = i + bound.rows + (is_end ? 1 : 0);
          break;
        case Bound::Kind::kPeers:
          places[i] = is_end ? sorted.peer_end[i] : sorted.peer_begin[i];
          break;
        case Bound::Kind::kValue: {
          const auto first = range.keys.begin() + begin;
          const auto last = range.keys.begin() + end;
          const auto found = is_end ? std::upper_bound(first, last, range.bounds[i])
                                    : std::lower_bound(first, last, range.bounds[i]);
          places[i] = found - range.keys.begin();
          break;
        }
      }
      places[i] = std::clamp(places[i], begin, end);
    }
  }
  return places;
}

}  // namespace

arrow::Result<Frames> FramesOf(const EvalContext& context, const WindowPlan& plan,
                               const WindowFramePlan& frame, const SortedPartitions& sorted) {
  Frames frames;
  ARROW_ASSIGN_OR_RAISE(frames.begin,
                        PlacesOf(context, plan, frame.begin, /*is_end=*/false, sorted));
  ARROW_ASSIGN_OR_RAISE(frames.end, PlacesOf(context, plan, frame.end, /*is_end=*/true, sorted));
  for (size_t i = 0; i < frames.begin.size(); ++i) {
    frames.end[i] = std::max(frames.begin[i], frames.end[i]);
  }
  return frames;
}

}  // namespace tidemill::worker
