#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace tidemill::driver {

struct SourceProgress {
  std::string description;
  std::string start_offset;  // JSON text; "" for none
  std::string end_offset;
  std::string latest_offset;
  int64_t input_rows = 0;
  std::map<std::string, int64_t> metrics;  // the source's own: how far behind it is
};

struct StateProgress {
  int32_t operator_id = 0;
  std::string operator_name;  // Spark's: stateStoreSave
  int64_t rows_total = 0;
  int64_t rows_updated = 0;
  int64_t rows_removed = 0;
  int64_t memory_bytes = 0;
  int64_t rows_dropped_late = 0;
  std::map<std::string, int64_t> custom;  // Spark's customMetrics
};

// Event times of the first watermark that has seen rows in the epoch, and the global watermark that
// the epoch ran with; milliseconds since 1970.
struct EventTimeProgress {
  bool has_rows = false;
  int64_t max_ms = 0;
  int64_t min_ms = 0;
  int64_t average_ms = 0;
  int64_t watermark_ms = 0;
};

// One committed epoch as Spark's StreamingQueryProgress tells it. *Plain data.*
struct EpochProgress {
  std::string id;      // of the checkpoint: the job's UUID
  std::string run_id;  // of this start
  std::string name;
  Timestamp timestamp{};  // start of the trigger
  int64_t epoch = 0;      // batchId
  int64_t input_rows = 0;
  double seconds_since_previous = 0;  // trigger start to trigger start; 0 for the first
  // Spark's names: latestOffset, queryPlanning (from the offsets to the plan of the epoch),
  // walCommit, addBatch, commitOffsets, triggerExecution; ours beside: compute, changelog,
  // sinkCommit. Microseconds.
  std::map<std::string, int64_t> duration_us;
  std::optional<EventTimeProgress> event_time;  // of queries with a watermark
  std::vector<StateProgress> state;
  std::vector<SourceProgress> sources;
  std::string sink_description;
  int64_t output_rows = 0;
  uint64_t attempt = 0;                // count of its tries in this term
  int32_t shuffle_partitions = 0;      // slots
  int64_t checkpoint_state_bytes = 0;  // of snapshots and changelog
};

// Spark's JSON text of a progress, one line: keys in Spark's order, empty maps left out.
std::string ProgressJson(const EpochProgress& progress);

}  // namespace tidemill::driver
