#pragma once

#include <algorithm>
#include <cstdint>

namespace tidemill::state {

// When a worker flushes and snapshots: once the changelog since the last snapshot outgrows the
// state itself. So a restore reads at most about twice the state, the checkpoint stays within three
// times of it, and a row is written about twice in its life.
struct FlushPolicy {
  int64_t min_bytes = 64 << 20;

  bool ShouldFlush(int64_t changelog_bytes_since_snapshot, int64_t state_bytes) const {
    return changelog_bytes_since_snapshot > std::max(min_bytes, state_bytes);
  }
};

}  // namespace tidemill::state
