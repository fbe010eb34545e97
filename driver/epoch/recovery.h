#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>

namespace tidemill::driver {

// What the log of a checkpoint says, read to its end under a new term.
struct LogFacts {
  int64_t last_committed = -1;
  uint64_t committed_plan_hash = 0;  // of last_committed
  // The epoch that is planned and not committed.
  struct Open {
    int64_t epoch = 0;
    uint64_t plan_hash = 0;
    uint64_t plan_fingerprint = 0;  // of the physical plan that planned it
  };
  std::optional<Open> open;
};

// What a sink says itself: the newest epoch that it has published.
struct SinkFacts {
  struct Published {
    int64_t epoch = 0;
    uint64_t plan_hash = 0;
  };
  std::optional<Published> published;  // nothing: none yet, or a sink without memory
};

struct RecoveryDecision {
  // Run again exactly as planned, before anything is planned anew.
  std::optional<int64_t> open_epoch;
  // The query was changed while the epoch was open: the plan that planned it finishes it.
  bool open_has_stored_plan = false;
  // The sink has the open epoch already: its commit adopts what is there.
  bool is_published = false;
};

// Decides what a restarted driver does. Errors, all kCorrupt, where going on could lose or repeat
// rows: SINK_AHEAD_OF_LOG (the sink has an epoch that the log does not know), SINK_PLAN_MISMATCH
// (the sink has the epoch, but of another plan). Pure.
arrow::Result<RecoveryDecision> DecideRecovery(const LogFacts& log, const SinkFacts& sink,
                                               uint64_t plan_fingerprint);

}  // namespace tidemill::driver
