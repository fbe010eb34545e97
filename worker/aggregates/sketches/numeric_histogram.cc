#include "worker/aggregates/sketches/numeric_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "state/table/row_codec.h"

namespace tidemill::worker {

arrow::Result<NumericHistogram> NumericHistogram::Decode(size_t most, std::string_view bytes) {
  NumericHistogram histogram(most);
  if (bytes.size() < 8 || (bytes.size() - 8) % sizeof(Bin) != 0) {
    return state::CorruptState("histogram is cut off");
  }
  std::memcpy(&histogram.generator_, bytes.data(), 8);
  histogram.generator_ &= kMask;
  histogram.bins_.resize((bytes.size() - 8) / sizeof(Bin));
  if (histogram.bins_.size() > most) return state::CorruptState("histogram has too many bins");
  if (!histogram.bins_.empty()) {
    std::memcpy(histogram.bins_.data(), bytes.data() + 8, bytes.size() - 8);
  }
  return histogram;
}

void NumericHistogram::EncodeTo(std::string* bytes) const {
  bytes->resize(8 + bins_.size() * sizeof(Bin));
  std::memcpy(bytes->data(), &generator_, 8);
  if (!bins_.empty()) std::memcpy(bytes->data() + 8, bins_.data(), bins_.size() * sizeof(Bin));
}

uint64_t NumericHistogram::NextBits(int bits) {
  generator_ = (generator_ * kMultiplier + 0xB) & kMask;
  return generator_ >> (48 - bits);
}

double NumericHistogram::NextDouble() {
  const uint64_t high = NextBits(26) << 27;
  return static_cast<double>(high + NextBits(27)) * 0x1.0p-53;
}

void NumericHistogram::Add(double value) {
  const auto place = std::lower_bound(bins_.begin(), bins_.end(), value,
                                      [](const Bin& bin, double x) { return bin.x < x; });
  if (place != bins_.end() && place->x == value) {
    place->y += 1;
    return;
  }
  bins_.insert(place, {value, 1});
  if (bins_.size() > most_) JoinNearest();
}

void NumericHistogram::Merge(const NumericHistogram& other) {
  if (bins_.empty()) {
    bins_ = other.bins_;
    return;
  }
  bins_.insert(bins_.end(), other.bins_.begin(), other.bins_.end());
  std::stable_sort(bins_.begin(), bins_.end(),
                   [](const Bin& a, const Bin& b) { return a.x < b.x; });
  while (bins_.size() > most_) JoinNearest();
}

void NumericHistogram::JoinNearest() {
  double least = bins_[1].x - bins_[0].x;
  size_t place = 0;
  int equal = 1;
  for (size_t i = 1; i + 1 < bins_.size(); ++i) {
    const double distance = bins_[i + 1].x - bins_[i].x;
    if (distance < least) {
      least = distance;
      place = i;
      equal = 1;
    } else if (distance == least && NextDouble() <= 1.0 / ++equal) {
      place = i;
    }
  }
  Bin& bin = bins_[place];
  const Bin& next = bins_[place + 1];
  const double height = bin.y + next.y;
  bin.x *= bin.y / height;
  bin.x += next.x / height * next.y;
  bin.y = height;
  bins_.erase(bins_.begin() + static_cast<std::ptrdiff_t>(place) + 1);
}

}  // namespace tidemill::worker
