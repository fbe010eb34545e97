#pragma once

#include <arrow/result.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::worker {

// A histogram of at most `most` bins of different widths, built as numbers come (Ben-Haim, Tom-Tov:
// "A Streaming Parallel Decision Tree Algorithm", 2010): a number becomes a bin of its own, and of
// too many bins the two nearest are joined; of equally near ones a pseudo-random pair, by the
// generator that Spark has, from a fixed seed. *Thread-compatible.*
//
// As bytes: 8 bytes the generator's state, then the bins, 16 bytes each.
class NumericHistogram {
 public:
  struct Bin {
    double x;  // centre
    double y;  // height
  };

  explicit NumericHistogram(size_t most) : most_(most) {}
  // Errors: CHECKPOINT_CORRUPT (kCorrupt).
  static arrow::Result<NumericHistogram> Decode(size_t most, std::string_view bytes);
  void EncodeTo(std::string* bytes) const;

  void Add(double value);
  void Merge(const NumericHistogram& other);
  const std::vector<Bin>& bins() const { return bins_; }  // ascending
  // As if nothing had been drawn yet: before histograms are merged.
  void ResetGenerator() { generator_ = kSeed; }

 private:
  // java.util.Random of 31183.
  static constexpr uint64_t kMultiplier = 0x5DEECE66DULL;
  static constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  static constexpr uint64_t kSeed = (31183 ^ kMultiplier) & kMask;

  uint64_t NextBits(int bits);
  double NextDouble();
  void JoinNearest();

  size_t most_;
  std::vector<Bin> bins_;
  uint64_t generator_ = kSeed;
};

}  // namespace tidemill::worker
