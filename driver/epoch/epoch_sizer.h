#pragma once

#include <chrono>
#include <cstdint>

namespace tidemill::driver {

// How much input the next epoch of a job may take, so that epochs under load last about as long as
// they should: a backlog is worked off in pieces. A larger piece would only make rows wait for each
// other, a smaller one would pay what an epoch costs whatever it reads (log, changelog, sinks) too
// often: at least half of an epoch's time goes into computing. Pure; epochs are measured by the
// caller. *Thread-compatible.*
class EpochSizer {
 public:
  // Before anything is measured, so that what is small is never cut.
  static constexpr int64_t kFirstBytes = int64_t{64} << 20;
  static constexpr int64_t kLeastBytes = int64_t{256} << 10;
  static constexpr int64_t kMostBytes = int64_t{1} << 30;

  // No limit where the target is zero.
  explicit EpochSizer(std::chrono::microseconds target) : target_(target) {}

  // Bytes that the next epoch may take of each source.
  int64_t budget() const;

  // An epoch that took `bytes` of the source that gave most is committed: `whole` after it began,
  // of which the slowest worker computed for `compute`.
  void OnCommitted(int64_t bytes, std::chrono::microseconds whole,
                   std::chrono::microseconds compute);

 private:
  const std::chrono::microseconds target_;
  int64_t budget_ = kFirstBytes;
};

}  // namespace tidemill::driver
