#pragma once

#include <arrow/result.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::worker {

// A summary of many numbers that knows each rank to within `error` of their count: that of
// Greenwald and Khanna ("Space-Efficient Online Computation of Quantile Summaries", 2001), which
// adds numbers and answers as Spark does. Summaries merge by combining what they know of ranks
// ("Power-Conserving Computation of Order-Statistics over Sensor Networks", 2004), so that the
// error stays and the size does not grow with the number of merges, as it would the way that Spark
// merges. While 2 * error * count is below 1 it keeps every number and is exact. NaN is above every
// number. *Thread-compatible.*
//
// As bytes: 8 bytes how many numbers the samples stand for, 8 bytes the number of samples, the
// samples, 24 bytes each; then numbers that were appended and are not in the samples yet, 8 bytes
// each. So a number is added to the bytes without reading them.
class QuantileSummary {
 public:
  static constexpr size_t kHeaderBytes = 16;
  // Once this many numbers were appended they are taken in.
  static constexpr size_t kMostAppended = 50'000;

  explicit QuantileSummary(double error) : error_(error) {}
  // Takes in what was appended. Errors: CHECKPOINT_CORRUPT (kCorrupt).
  static arrow::Result<QuantileSummary> Decode(double error, std::string_view bytes);
  // How many numbers the bytes have behind their samples; 0 where they are damaged.
  static size_t CountAppended(std::string_view bytes);

  void Insert(std::span<const double> values);
  void Compress();
  // Both must be compressed, and are afterwards.
  void Merge(const QuantileSummary& other);
  void EncodeTo(std::string* bytes) const;

  bool empty() const { return samples_.empty(); }
  size_t num_samples() const { return samples_.size(); }
  // A value whose rank is near fraction * count. There must be numbers.
  double Query(double fraction) const;

 private:
  // `gap` numbers between the sample before and this one, whose rank is uncertain by `delta`.
  struct Sample {
    double value;
    int64_t gap;
    int64_t delta;
  };

  const double error_;
  int64_t count_ = 0;
  std::vector<Sample> samples_;  // ascending
};

}  // namespace tidemill::worker
