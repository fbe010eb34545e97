#pragma once

#include <algorithm>
#include <cstdint>

namespace tidemill::state {

// When a worker flushes and snapshots: once the changelog since the last snapshot outgrows the
// state itself. So a restore reads at most about twice the state, the checkpoint stays within three
// times of it, and a row is written about twice in its life.
struct FlushPolicy {
  int64_t min_bytes = 64 << 20;
  double state_ratio = 1.0;  // of the state's size

  bool ShouldFlush(int64_t changelog_bytes_since_snapshot, int64_t state_bytes) const {
    const auto allowed = static_cast<int64_t>(state_ratio * static_cast<double>(state_bytes));
    return changelog_bytes_since_snapshot > std::max(min_bytes, allowed);
  }
};

}  // namespace tidemill::state
