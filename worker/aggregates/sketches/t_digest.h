#pragma once

#include <arrow/result.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::worker {

// A t-digest (Dunning, Ertl: "Computing Extremely Accurate Quantiles Using t-Digests", 2019), the
// merging kind: clusters of numbers as their means and counts, small near both ends, so that
// extreme quantiles are the most exact. About `compression` clusters. NaN are left out.
// *Thread-compatible.*
//
// As bytes: 8 bytes the number of clusters, 16 bytes the least and the greatest number, the
// clusters, 16 bytes each; then numbers that were appended and are in no cluster yet, 8 bytes each.
class TDigest {
 public:
  static constexpr size_t kHeaderBytes = 24;

  explicit TDigest(double compression) : compression_(compression) {}
  // Takes in what was appended. Errors: CHECKPOINT_CORRUPT (kCorrupt).
  static arrow::Result<TDigest> Decode(double compression, std::string_view bytes);
  // How many numbers the bytes have behind their clusters; 0 where they are damaged.
  static size_t CountAppended(std::string_view bytes);
  // The bytes of a digest of nothing.
  static std::string EmptyBytes();
  // Once this many numbers were appended they are taken in.
  size_t most_appended() const { return static_cast<size_t>(compression_) * 8; }

  void Merge(const TDigest& other);
  void EncodeTo(std::string* bytes) const;

  bool empty() const { return clusters_.empty(); }
  // Between the means of neighbouring clusters. There must be numbers.
  double Query(double fraction) const;

 private:
  struct Cluster {
    double mean;
    double count;
  };

  // Joins neighbours as far as the scale function allows.
  void Join(std::vector<Cluster> clusters);

  const double compression_;
  double least_ = 0;
  double greatest_ = 0;
  std::vector<Cluster> clusters_;  // by mean
};

}  // namespace tidemill::worker
