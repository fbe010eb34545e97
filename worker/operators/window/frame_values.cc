#include "worker/operators/window/frame_values.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <vector>

namespace tidemill::worker {

namespace {

// The places of the rows that count, ascending.
std::vector<int64_t> CountedPlaces(const arrow::Array& values, bool ignore_nulls) {
  std::vector<int64_t> places;
  places.reserve(values.length());
  for (int64_t i = 0; i < values.length(); ++i) {
    if (!ignore_nulls || values.IsValid(i)) places.push_back(i);
  }
  return places;
}

// How many counted places are below `place`.
int64_t NumBelow(const std::vector<int64_t>& places, int64_t place) {
  return std::lower_bound(places.begin(), places.end(), place) - places.begin();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> ValuesAtOffset(
    const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& fallback,
    int64_t offset, bool ignore_nulls, const SortedPartitions& sorted) {
  const std::vector<int64_t> places = CountedPlaces(*values, ignore_nulls);
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.Reserve(values->length()));
  for (size_t partition = 0; partition < sorted.num_partitions(); ++partition) {
    const int64_t begin = sorted.begins[partition];
    const int64_t end = sorted.begins[partition + 1];
    const int64_t first = NumBelow(places, begin);
    const int64_t last = NumBelow(places, end);
    int64_t below = first;  // counted places below i
    for (int64_t i = begin; i < end; ++i) {
      while (below < last && places[below] < i) ++below;
      const bool is_counted = below < last && places[below] == i;
      // The offset-th counted row before or behind this one, or the row itself.
      const int64_t target = offset <= 0 || is_counted ? below + offset : below + offset - 1;
      const bool is_there = target >= first && target < last;
      const int64_t found = offset == 0 ? i : is_there ? places[target] : values->length() + i;
      indices.UnsafeAppend(found);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto index_array, indices.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto both, arrow::Concatenate({values, fallback}));
  ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(both, index_array));
  return taken.make_array();
}

arrow::Result<std::shared_ptr<arrow::Array>> ValuesInFrame(
    const std::shared_ptr<arrow::Array>& values, int64_t n, bool ignore_nulls,
    const Frames& frames) {
  const std::vector<int64_t> places = CountedPlaces(*values, ignore_nulls);
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.Reserve(values->length()));
  for (int64_t i = 0; i < values->length(); ++i) {
    const int64_t first = NumBelow(places, frames.begin[i]);
    const int64_t last = NumBelow(places, frames.end[i]);
    const int64_t target = n > 0 ? first + n - 1 : last + n;
    if (target >= first && target < last) {
      indices.UnsafeAppend(places[target]);
    } else {
      indices.UnsafeAppendNull();
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto index_array, indices.Finish());
  ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(values, index_array));
  return taken.make_array();
}

}  // namespace tidemill::worker
