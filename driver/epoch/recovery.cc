#include "driver/epoch/recovery.h"

#include <fmt/format.h>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::driver {

namespace {

arrow::Status AheadOfLog(int64_t published, int64_t last_committed) {
  return WithHint(
      MakeError(ErrorKind::kCorrupt, "SINK_AHEAD_OF_LOG",
                fmt::format("the sink holds an epoch that the checkpoint's log does not know: "
                            "published={} committed={}",
                            published, last_committed)),
      "the checkpoint is older than the sink: put back the newest copy of it, or use a new "
      "checkpoint and a new sink");
}

arrow::Status PlanMismatch(int64_t epoch, uint64_t published, uint64_t logged) {
  return WithHint(MakeError(ErrorKind::kCorrupt, "SINK_PLAN_MISMATCH",
                            fmt::format("the sink holds the epoch with other input than the "
                                        "checkpoint's log: epoch={} published={} logged={}",
                                        epoch, HexOf(published), HexOf(logged))),
                  "the sink and the checkpoint do not belong together, or one was put back");
}

}  // namespace

arrow::Result<RecoveryDecision> DecideRecovery(const LogFacts& log, const SinkFacts& sink,
                                               uint64_t plan_fingerprint) {
  RecoveryDecision decision;
  if (log.open.has_value()) {
    TIDEMILL_CHECK(log.open->epoch == log.last_committed + 1);
    decision.open_epoch = log.open->epoch;
    decision.open_has_stored_plan = log.open->plan_fingerprint != plan_fingerprint;
  }
  if (!sink.published.has_value()) return decision;
  const auto& published = *sink.published;
  if (published.epoch == log.last_committed && published.plan_hash != log.committed_plan_hash) {
    return PlanMismatch(published.epoch, published.plan_hash, log.committed_plan_hash);
  }
  if (published.epoch <= log.last_committed) return decision;
  if (!log.open.has_value() || published.epoch != log.open->epoch) {
    return AheadOfLog(published.epoch, log.last_committed);
  }
  if (published.plan_hash != log.open->plan_hash) {
    return PlanMismatch(published.epoch, published.plan_hash, log.open->plan_hash);
  }
  decision.is_published = true;
  return decision;
}

}  // namespace tidemill::driver
