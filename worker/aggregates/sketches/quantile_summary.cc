#include "worker/aggregates/sketches/quantile_summary.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "state/table/row_codec.h"
#include "worker/aggregates/encoded_order.h"

namespace tidemill::worker {

namespace {

bool IsLess(double a, double b) { return CompareValues(a, b) < 0; }

}  // namespace

size_t QuantileSummary::CountAppended(std::string_view bytes) {
  uint64_t samples = 0;
  if (bytes.size() < kHeaderBytes) return 0;
  std::memcpy(&samples, bytes.data() + 8, sizeof(samples));
  const size_t room = bytes.size() - kHeaderBytes;
  if (samples > room / sizeof(Sample)) return 0;
  return (room - samples * sizeof(Sample)) / sizeof(double);
}

arrow::Result<QuantileSummary> QuantileSummary::Decode(double error, std::string_view bytes) {
  QuantileSummary summary(error);
  uint64_t samples = 0;
  if (bytes.size() < kHeaderBytes) return state::CorruptState("quantile summary ends early");
  std::memcpy(&summary.count_, bytes.data(), sizeof(summary.count_));
  std::memcpy(&samples, bytes.data() + 8, sizeof(samples));
  const size_t room = bytes.size() - kHeaderBytes;
  if (samples > room / sizeof(Sample) || (room - samples * sizeof(Sample)) % sizeof(double) != 0) {
    return state::CorruptState("quantile summary is cut off");
  }
  summary.samples_.resize(samples);
  if (samples > 0) {
    std::memcpy(summary.samples_.data(), bytes.data() + kHeaderBytes, samples * sizeof(Sample));
  }
  int64_t counted = 0;
  for (const Sample& sample : summary.samples_) {
    const bool is_sound = sample.gap > 0 && sample.delta >= 0 &&
                          sample.gap <= summary.count_ - counted && sample.delta <= summary.count_;
    if (!is_sound) return state::CorruptState("quantile summary has impossible ranks");
    counted += sample.gap;
  }
  if (counted != summary.count_) return state::CorruptState("quantile summary lacks numbers");
  std::vector<double> appended(CountAppended(bytes));
  if (!appended.empty()) {
    std::memcpy(appended.data(), bytes.data() + kHeaderBytes + samples * sizeof(Sample),
                appended.size() * sizeof(double));
    summary.Insert(appended);
  }
  return summary;
}

void QuantileSummary::EncodeTo(std::string* bytes) const {
  const uint64_t samples = samples_.size();
  bytes->resize(kHeaderBytes + samples * sizeof(Sample));
  std::memcpy(bytes->data(), &count_, sizeof(count_));
  std::memcpy(bytes->data() + 8, &samples, sizeof(samples));
  if (samples > 0) {
    std::memcpy(bytes->data() + kHeaderBytes, samples_.data(), samples * sizeof(Sample));
  }
}

void QuantileSummary::Insert(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end(), IsLess);
  std::vector<Sample> merged;
  merged.reserve(samples_.size() + sorted.size());
  auto next = samples_.begin();
  for (size_t i = 0; i < sorted.size(); ++i) {
    while (next != samples_.end() && !IsLess(sorted[i], next->value)) merged.push_back(*next++);
    ++count_;
    const bool is_last = next == samples_.end() && i + 1 == sorted.size();
    const auto delta =
        merged.empty() || is_last
            ? int64_t{0}
            : static_cast<int64_t>(std::floor(2 * error_ * static_cast<double>(count_)));
    merged.push_back({sorted[i], 1, delta});
  }
  merged.insert(merged.end(), next, samples_.end());
  samples_ = std::move(merged);
}

void QuantileSummary::Compress() {
  if (samples_.size() < 2) return;
  const double threshold = 2 * error_ * static_cast<double>(count_);
  std::vector<Sample> kept;  // from the last one backwards
  Sample head = samples_.back();
  for (size_t i = samples_.size() - 2; i >= 1; --i) {
    const Sample& sample = samples_[i];
    if (static_cast<double>(sample.gap + head.gap + head.delta) < threshold) {
      head.gap += sample.gap;
    } else {
      kept.push_back(head);
      head = sample;
    }
  }
  kept.push_back(head);
  kept.push_back(samples_.front());
  samples_.assign(kept.rbegin(), kept.rend());
}

void QuantileSummary::Merge(const QuantileSummary& other) {
  if (other.empty()) return;
  if (empty()) {
    count_ = other.count_;
    samples_ = other.samples_;
    return;
  }
  std::vector<Sample> merged;
  merged.reserve(samples_.size() + other.samples_.size());
  auto own = samples_.begin();
  auto theirs = other.samples_.begin();
  while (own != samples_.end() && theirs != other.samples_.end()) {
    // Of the other side's numbers, those before its next sample may stand on either side.
    const bool is_own = IsLess(own->value, theirs->value);
    const Sample& beyond = is_own ? *theirs : *own;
    Sample next = is_own ? *own++ : *theirs++;
    next.delta += beyond.gap + beyond.delta - 1;
    merged.push_back(next);
  }
  merged.insert(merged.end(), own, samples_.end());
  merged.insert(merged.end(), theirs, other.samples_.end());
  samples_ = std::move(merged);
  count_ += other.count_;
  Compress();
}

double QuantileSummary::Query(double fraction) const {
  if (fraction <= error_ || samples_.size() == 1) return samples_.front().value;
  if (fraction >= 1 - error_) return samples_.back().value;
  int64_t uncertainty = 0;
  for (const Sample& sample : samples_) {
    uncertainty = std::max(uncertainty, sample.delta + sample.gap);
  }
  const auto tolerance = static_cast<double>(uncertainty / 2);
  const double rank = std::ceil(fraction * static_cast<double>(count_));
  int64_t least = 0;
  for (size_t i = 0; i + 1 < samples_.size(); ++i) {
    least += samples_[i].gap;
    const int64_t most = least + samples_[i].delta;
    if (static_cast<double>(most) - tolerance <= rank &&
        rank <= static_cast<double>(least) + tolerance) {
      return samples_[i].value;
    }
  }
  return samples_.back().value;
}

}  // namespace tidemill::worker
