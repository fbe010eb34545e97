#pragma once

#include <arrow/type_fwd.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tidemill::worker {

// Rows [begin, end) of a batch belong to one key group.
struct GroupRun {
  uint32_t key_group = 0;
  int32_t begin = 0;
  int32_t end = 0;
};

// What flows between operators and slots. `runs` covers the whole batch in order where the rows are
// partitioned by key group, and is empty where they are not. *Plain data.*
struct Rows {
  std::shared_ptr<arrow::RecordBatch> batch;
  std::vector<GroupRun> runs;
  int side = 0;  // at the first operator of a stage: which of its inputs the rows come from
};

// One try of one epoch of one job.
struct AttemptId {
  std::string job;
  int64_t epoch = 0;
  uint64_t attempt = 0;

  bool operator==(const AttemptId&) const = default;
};

// A piece of one lane of a producing stage for one destination slot. Pieces of a lane arrive in the
// order in which they were sent; the consumer reads lanes in (chunk, lane, ordinal) order. *Plain
// data.*
struct ExchangeFrame {
  int stage = 0;  // the producing stage
  int lane = 0;
  int64_t chunk = 0;
  bool ends_chunk = false;
  bool ends_lane = false;  // implies ends_chunk
  Rows rows;               // batch may be null
};

// A consumer has taken everything of the stage's lanes below `chunk`: credit for its producers.
struct ExchangeProgress {
  int stage = 0;
  int consumer = 0;  // slot index in the assignment
  int64_t chunk = 0;
};

struct SlotAddress {
  std::string worker;
  int slot = 0;

  auto operator<=>(const SlotAddress&) const = default;
};

// How far a lane may run ahead of the slowest consumer of its stage, in chunks. Bounds the rows
// that wait in an exchange to lanes * window * chunk. A lane at the consumer's current chunk is
// never held back, so order cannot deadlock.
inline constexpr int64_t kExchangeWindowChunks = 8;

// The same in bytes, for wide rows: what a slot has sent to one consumer of chunks that this one
// has not taken yet. A consumer holds so much of each producing slot at most, and beyond that only
// what belongs to its current chunk.
inline constexpr int64_t kExchangeWindowBytes = 16 << 20;

// Input rows of a lane that make a chunk: the unit of interleaving lanes. Part of the plan's
// meaning (order of consumption): changing it changes what a replay computes.
inline constexpr int64_t kChunkRows = 16384;

}  // namespace tidemill::worker
