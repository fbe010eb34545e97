#pragma once

#include <arrow/status.h>

#include <deque>
#include <optional>
#include <vector>

#include "worker/exchange/frame.h"

namespace tidemill::worker {

// Puts the lanes of one exchange into (chunk, lane, ordinal) order at one consumer.
// *Thread-compatible.*
class LaneMerger {
 public:
  explicit LaneMerger(int lanes);

  // Errors: EXCHANGE_FRAME_INVALID (kUnavailable) for a frame that does not continue its lane.
  arrow::Status Add(ExchangeFrame frame);

  // The next rows in order; nothing when they have not arrived yet or when all lanes have ended.
  std::optional<Rows> Next();

  bool is_finished() const { return open_lanes_ == 0; }
  // Every chunk below this one has been taken from every lane.
  int64_t chunk() const { return chunk_; }

 private:
  struct Lane {
    std::deque<ExchangeFrame> frames;
    int64_t arriving_chunk = 0;  // of the next frame
    bool has_arrived = false;    // all of it
    bool has_ended = false;      // all of it is taken
  };

  void Advance();

  std::vector<Lane> lanes_;
  int open_lanes_;
  int current_ = 0;
  int64_t chunk_ = 0;
};

}  // namespace tidemill::worker
