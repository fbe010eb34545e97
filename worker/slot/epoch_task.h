#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/sink.h"
#include "connectors/source.h"
#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/rocksdb_tier.h"
#include "worker/exchange/frame.h"
#include "worker/operators/epoch_info.h"

namespace tidemill::worker {

// One attempt of one epoch, as every slot of the job gets it. *Immutable.*
struct EpochTask {
  AttemptId id;
  uint64_t term = 0;
  // State that the epoch starts from: that attempt of that epoch is committed.
  int64_t committed_epoch = -1;
  uint64_t committed_attempt = 0;
  std::vector<std::vector<connectors::Split>> splits;  // by source
  int lanes = 1;  // of every source stage; split s is in lane s mod lanes
  uint64_t seed = 0;
  EpochInfo info;
};

struct OperatorReport {
  int operator_id = 0;
  std::string name;
  int64_t rows_total = 0;
  int64_t rows_updated = 0;
  int64_t memory_bytes = 0;
  int64_t rows_removed = 0;
  int64_t rows_dropped_late = 0;
  std::map<std::string, int64_t> custom;  // Spark's customMetrics
};

// What one slot has done when its input is consumed.
struct SlotReport {
  AttemptId id;
  state::ChangelogSections changes;
  std::vector<int64_t> source_rows;  // by source
  std::vector<OperatorReport> operators;
  std::vector<EventTimeStats> event_times;  // by watermark, those that rows have passed
  int64_t output_rows = 0;
  bool has_writer = false;  // OnStaged follows
};

// Rows leave memory on every slot of a job. *Immutable.*
struct Eviction {
  uint64_t number = 0;                             // for the answers
  double kept_share = 1;                           // of each table that can evict
  int64_t cold_bytes = 0;                          // a slot's for what it notes of cold keys
  std::shared_ptr<const state::RocksDbTier> tier;  // holds all that was captured
};
struct EvictionReport {
  uint64_t number = 0;
  int64_t memory_bytes = 0;  // of all tables of the slot, afterwards
  int64_t evictable_bytes = 0;
  int64_t cold_rows = 0;
};

// Who hears from a slot, on the slot's thread (OnStaged: any thread). Implementations enqueue.
class SlotListener {
 public:
  virtual ~SlotListener() = default;
  virtual void OnComputed(int slot, SlotReport report) = 0;
  virtual void OnStaged(int slot, const AttemptId& id,
                        arrow::Result<connectors::StagedOutput> staged) = 0;
  virtual void OnFailed(int slot, const AttemptId& id, const arrow::Status& error) = 0;
  // `capture` is the number it was asked for with.
  virtual void OnCaptured(int slot, const std::string& job, uint64_t capture,
                          std::unique_ptr<state::FlushBatch> batch) = 0;
  virtual void OnEvicted(int slot, const std::string& job, const EvictionReport& report) = 0;
};

}  // namespace tidemill::worker
