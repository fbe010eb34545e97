#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tidemill::worker {

// What is told to a function about some keys of one key group at once: their rows of the epoch, or
// their timers that are due. *Plain data.*
struct KeyedCall {
  std::shared_ptr<arrow::RecordBatch> keys;   // the key columns, a row for each key
  std::vector<uint8_t> has_state;             // by key
  std::shared_ptr<arrow::RecordBatch> state;  // the state columns; NULLs where a key has none
  // The rows of all keys, key by key, each key's in the order of their arrival; those of key i end
  // before row_ends[i].
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int64_t> row_ends;
  // The timers of all keys likewise, ascending.
  std::vector<int64_t> timers_us;
  std::vector<int64_t> timer_ends;
  int64_t epoch_time_us = 0;            // never goes back
  std::optional<int64_t> watermark_us;  // of the epoch; none where no watermark reaches
};

// What the function wants for the keys of a call, which go by their number. *Plain data.*
struct KeyedAnswer {
  struct Timer {
    uint32_t key = 0;
    int64_t time_us = 0;
  };
  std::shared_ptr<arrow::RecordBatch> output;  // null: nothing
  // Key written[i] gets row i of `state`, and with it the full time to live again.
  std::vector<uint32_t> written;
  std::shared_ptr<arrow::RecordBatch> state;
  std::vector<uint32_t> cleared;  // keys that lose their state; their timers stay
  // A timer is known by its time; one that is there already is not set twice.
  std::vector<Timer> set_timers;
  std::vector<Timer> deleted_timers;
};

// Logic over keyed state that is not an operator of SQL (Spark's mapGroupsWithState,
// transformWithState): a C++ class, or a worker process of another language behind this interface,
// which is why a call carries many keys and Arrow batches. It computes from its calls alone, keeps
// nothing between them, and gives the same answer to the same call: an epoch may be run again.
// *Thread-compatible*: each slot has its own.
class KeyedFunction {
 public:
  virtual ~KeyedFunction() = default;

  // In an epoch: once for each key group that has rows, with all its keys that have some; then once
  // for each that has due timers. A timer that is set to a time that has passed fires in the next
  // epoch.
  virtual arrow::Result<KeyedAnswer> Call(const KeyedCall& call) = 0;
};

}  // namespace tidemill::worker
