#include "worker/aggregates/sketches/t_digest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "state/table/row_codec.h"

namespace tidemill::worker {

namespace {

constexpr size_t kClusterBytes = 16;

// The scale function: clusters may span one unit of it.
double ScaleOf(double fraction, double compression) {
  return compression / (2 * std::numbers::pi) * std::asin(2 * std::clamp(fraction, 0.0, 1.0) - 1);
}

}  // namespace

size_t TDigest::CountAppended(std::string_view bytes) {
  uint64_t clusters = 0;
  if (bytes.size() < kHeaderBytes) return 0;
  std::memcpy(&clusters, bytes.data(), sizeof(clusters));
  const size_t room = bytes.size() - kHeaderBytes;
  if (clusters > room / kClusterBytes) return 0;
  return (room - clusters * kClusterBytes) / sizeof(double);
}

std::string TDigest::EmptyBytes() { return std::string(kHeaderBytes, 0); }

arrow::Result<TDigest> TDigest::Decode(double compression, std::string_view bytes) {
  TDigest digest(compression);
  uint64_t count = 0;
  if (bytes.size() < kHeaderBytes) return state::CorruptState("t-digest ends early");
  std::memcpy(&count, bytes.data(), sizeof(count));
  std::memcpy(&digest.least_, bytes.data() + 8, sizeof(double));
  std::memcpy(&digest.greatest_, bytes.data() + 16, sizeof(double));
  const size_t room = bytes.size() - kHeaderBytes;
  if (count > room / kClusterBytes || (room - count * kClusterBytes) % sizeof(double) != 0) {
    return state::CorruptState("t-digest is cut off");
  }
  digest.clusters_.resize(count);
  if (count > 0) {
    std::memcpy(digest.clusters_.data(), bytes.data() + kHeaderBytes, count * kClusterBytes);
  }
  for (size_t i = 0; i < count; ++i) {
    const Cluster& cluster = digest.clusters_[i];
    const bool is_ordered = i == 0 || digest.clusters_[i - 1].mean <= cluster.mean;
    if (!is_ordered || std::isnan(cluster.mean) || !(cluster.count >= 1)) {
      return state::CorruptState("t-digest has an impossible cluster");
    }
  }
  const size_t appended = CountAppended(bytes);
  std::vector<Cluster> all = digest.clusters_;
  for (size_t i = 0; i < appended; ++i) {
    double value;
    std::memcpy(&value, bytes.data() + kHeaderBytes + count * kClusterBytes + 8 * i, 8);
    if (std::isnan(value)) continue;
    const bool is_first = all.empty();
    digest.least_ = is_first ? value : std::min(digest.least_, value);
    digest.greatest_ = is_first ? value : std::max(digest.greatest_, value);
    all.push_back({value, 1});
  }
  if (all.size() > digest.clusters_.size()) digest.Join(std::move(all));
  return digest;
}

void TDigest::EncodeTo(std::string* bytes) const {
  const uint64_t count = clusters_.size();
  bytes->resize(kHeaderBytes + count * kClusterBytes);
  std::memcpy(bytes->data(), &count, sizeof(count));
  std::memcpy(bytes->data() + 8, &least_, sizeof(double));
  std::memcpy(bytes->data() + 16, &greatest_, sizeof(double));
  if (count > 0) {
    std::memcpy(bytes->data() + kHeaderBytes, clusters_.data(), count * kClusterBytes);
  }
}

void TDigest::Join(std::vector<Cluster> clusters) {
  std::stable_sort(clusters.begin(), clusters.end(),
                   [](const Cluster& a, const Cluster& b) { return a.mean < b.mean; });
  double total = 0;
  for (const Cluster& cluster : clusters) total += cluster.count;
  clusters_.clear();
  double before = 0;  // numbers in finished clusters
  Cluster open = clusters.front();
  double scale_begin = ScaleOf(0, compression_);
  for (size_t i = 1; i < clusters.size(); ++i) {
    const Cluster& next = clusters[i];
    const double end = (before + open.count + next.count) / total;
    if (ScaleOf(end, compression_) - scale_begin <= 1) {
      open.count += next.count;
      open.mean += (next.mean - open.mean) * next.count / open.count;
      continue;
    }
    before += open.count;
    scale_begin = ScaleOf(before / total, compression_);
    clusters_.push_back(open);
    open = next;
  }
  clusters_.push_back(open);
}

void TDigest::Merge(const TDigest& other) {
  if (other.empty()) return;
  if (empty()) {
    least_ = other.least_;
    greatest_ = other.greatest_;
    clusters_ = other.clusters_;
    return;
  }
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
  std::vector<Cluster> all = std::move(clusters_);
  all.insert(all.end(), other.clusters_.begin(), other.clusters_.end());
  Join(std::move(all));
}

double TDigest::Query(double fraction) const {
  double total = 0;
  for (const Cluster& cluster : clusters_) total += cluster.count;
  const double position = fraction * (total - 1);  // as percentile() counts, from 0
  // A cluster's mean stands in the middle of its numbers.
  double at = -1;  // position of the point before
  double value = least_;
  double before = 0;
  for (const Cluster& cluster : clusters_) {
    const double middle = before + (cluster.count - 1) / 2;
    if (middle >= position) {
      if (at < 0) at = 0;
      if (middle <= at) return std::clamp(cluster.mean, least_, greatest_);
      return std::clamp(value + (cluster.mean - value) * (position - at) / (middle - at), least_,
                        greatest_);
    }
    at = middle;
    value = cluster.mean;
    before += cluster.count;
  }
  if (total - 1 <= at) return greatest_;
  return std::clamp(value + (greatest_ - value) * (position - at) / (total - 1 - at), least_,
                    greatest_);
}

}  // namespace tidemill::worker
