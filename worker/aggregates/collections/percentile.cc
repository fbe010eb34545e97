// Exact percentiles: percentile, median, percentile_cont, percentile_disc. The accumulator is a bag
// (bag.h) of numbers, 8 bytes each.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "state/table/row_codec.h"
#include "worker/aggregates/collections/bag.h"
#include "worker/aggregates/encoded_order.h"
#include "worker/aggregates/kernel_makers.h"

namespace tidemill::worker::internal {

namespace {

// A value, and how many values are not behind it.
struct Rank {
  double value;
  uint64_t end;
};

arrow::Status ReadRanks(std::string_view bag, bool is_descending, std::vector<Rank>* ranks) {
  std::vector<BagEntry> entries;
  ARROW_RETURN_NOT_OK(ReadBag(bag, &entries));
  ranks->clear();
  for (const BagEntry& entry : entries) {
    if (entry.value.size() != sizeof(double)) return state::CorruptState("number of another size");
    Rank rank{0, entry.count};
    std::memcpy(&rank.value, entry.value.data(), sizeof(double));
    ranks->push_back(rank);
  }
  std::sort(ranks->begin(), ranks->end(), [is_descending](const Rank& a, const Rank& b) {
    const int order = CompareValues(a.value, b.value);
    return is_descending ? order > 0 : order < 0;
  });
  uint64_t end = 0;
  for (Rank& rank : *ranks) rank.end = end += rank.end;
  return arrow::Status::OK();
}

// The value at a position that counts from 0.
double ValueAt(const std::vector<Rank>& ranks, uint64_t position) {
  const auto found =
      std::lower_bound(ranks.begin(), ranks.end(), position + 1,
                       [](const Rank& rank, uint64_t wanted) { return rank.end < wanted; });
  return found == ranks.end() ? ranks.back().value : found->value;
}

// Between neighbours in proportion, as Spark computes it.
double Interpolate(const std::vector<Rank>& ranks, double fraction) {
  const double position = static_cast<double>(ranks.back().end - 1) * fraction;
  const double lower = std::floor(position);
  const double low = ValueAt(ranks, static_cast<uint64_t>(lower));
  const double high = ValueAt(ranks, static_cast<uint64_t>(std::ceil(position)));
  if (low == high) return low;  // infinities
  return low + (position - lower) * (high - low);
}

// The first value up to which there are enough.
double Choose(const std::vector<Rank>& ranks, double fraction) {
  const double wanted = std::ceil(static_cast<double>(ranks.back().end) * fraction);
  return ValueAt(ranks, wanted < 1 ? 0 : static_cast<uint64_t>(wanted) - 1);
}

// The values of an argument as numbers: an interval is its months or microseconds.
class Numbers {
 public:
  explicit Numbers(const arrow::Array& array) : array_(array) {}
  double At(int64_t i) const {
    switch (array_.type_id()) {
      case arrow::Type::INTERVAL_MONTHS:
        return static_cast<const arrow::MonthIntervalArray&>(array_).Value(i);
      case arrow::Type::DURATION:
        return static_cast<double>(static_cast<const arrow::DurationArray&>(array_).Value(i));
      default:
        return static_cast<const arrow::DoubleArray&>(array_).Value(i);
    }
  }

 private:
  const arrow::Array& array_;
};

// The other way round; what is below a month or a microsecond is cut.
arrow::Status AppendNumber(double number, arrow::ArrayBuilder* builder) {
  switch (builder->type()->id()) {
    case arrow::Type::INTERVAL_MONTHS:
      return static_cast<arrow::MonthIntervalBuilder*>(builder)->Append(
          static_cast<int32_t>(number));
    case arrow::Type::DURATION:
      return static_cast<arrow::DurationBuilder*>(builder)->Append(static_cast<int64_t>(number));
    default:
      return static_cast<arrow::DoubleBuilder*>(builder)->Append(number);
  }
}

class PercentileKernel final : public AggregateKernel {
 public:
  explicit PercentileKernel(const BoundAggregate& signature)
      : AggregateKernel(signature),
        percentile_(signature.name == "percentile_disc" ? Choose : Interpolate) {}

  // args[1], where there is one, says how often each value counts.
  arrow::Status Update(std::span<const std::shared_ptr<arrow::Array>> args, int64_t begin,
                       int64_t end, const uint32_t* target,
                       state::StateColumn* columns) const override {
    BagWriter bags(columns);
    const Numbers values(*args[0]);
    const auto* counts =
        args.size() < 2 ? nullptr : static_cast<const arrow::Int64Array*>(args[1].get());
    for (int64_t i = begin; i < end; ++i) {
      if (args[0]->IsNull(i) || (counts != nullptr && counts->IsNull(i))) continue;
      const int64_t count = counts == nullptr ? 1 : counts->Value(i);
      if (count < 0) return NegativeFrequency(count);
      if (count == 0) continue;
      const double value = values.At(i);
      const std::string_view bytes(reinterpret_cast<const char*>(&value), sizeof(value));
      ARROW_RETURN_NOT_OK(bags.Add(target[i - begin], bytes, count));
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
    const AggregateConstants& constants = signature().constants;
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, signature().type, &builder));
    arrow::ArrayBuilder* numbers = constants.is_list
                                       ? static_cast<arrow::ListBuilder&>(*builder).value_builder()
                                       : builder.get();
    const auto& cells = static_cast<const arrow::BinaryArray&>(*state[0]);
    std::vector<Rank> ranks;
    for (int64_t i = 0; i < cells.length(); ++i) {
      ranks.clear();
      if (cells.IsValid(i)) {
        ARROW_RETURN_NOT_OK(ReadRanks(cells.GetView(i), constants.is_descending, &ranks));
      }
      if (ranks.empty() || ranks.back().end == 0 || constants.fractions.empty()) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      if (constants.is_list) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::ListBuilder&>(*builder).Append());
      }
      for (const double fraction : constants.fractions) {
        ARROW_RETURN_NOT_OK(AppendNumber(percentile_(ranks, fraction), numbers));
      }
    }
    return builder->Finish();
  }

 private:
  arrow::Status NegativeFrequency(int64_t count) const {
    return MakeError(ErrorKind::kJobFailed, "NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION",
                     fmt::format("Found the negative value in \"{}\": {}L, but expected a positive "
                                 "integral value.",
                                 signature().text, count),
                     signature().span);
  }

  double (*const percentile_)(const std::vector<Rank>& ranks, double fraction);
};

}  // namespace

std::shared_ptr<const AggregateKernel> MakePercentileKernel(const BoundAggregate& signature) {
  return std::make_shared<PercentileKernel>(signature);
}

}  // namespace tidemill::worker::internal
