#include "worker/exchange/lane_merger.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"

namespace tidemill::worker {

LaneMerger::LaneMerger(int lanes) : lanes_(lanes), open_lanes_(lanes) {}

// Frames may come from another process: nothing about them is taken for granted.
arrow::Status LaneMerger::Add(ExchangeFrame frame) {
  const bool has_lane = frame.lane >= 0 && frame.lane < static_cast<int>(lanes_.size());
  if (!has_lane || lanes_[frame.lane].has_arrived ||
      lanes_[frame.lane].arriving_chunk != frame.chunk) {
    return MakeError(
        ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
        fmt::format("frame does not continue its lane: lane={} chunk={}", frame.lane, frame.chunk));
  }
  Lane& lane = lanes_[frame.lane];
  if (frame.ends_chunk || frame.ends_lane) ++lane.arriving_chunk;
  lane.has_arrived = frame.ends_lane;
  lane.frames.push_back(std::move(frame));
  return arrow::Status::OK();
}

std::optional<Rows> LaneMerger::Next() {
  while (open_lanes_ > 0) {
    Lane& lane = lanes_[current_];
    if (lane.has_ended) {
      Advance();
      continue;
    }
    if (lane.frames.empty()) return std::nullopt;
    ExchangeFrame frame = std::move(lane.frames.front());
    lane.frames.pop_front();
    TIDEMILL_CHECK(frame.chunk == chunk_);
    if (frame.ends_lane) {
      lane.has_ended = true;
      --open_lanes_;
    }
    if (frame.ends_chunk || frame.ends_lane) Advance();
    if (frame.rows.batch != nullptr) return std::move(frame.rows);
  }
  return std::nullopt;
}

void LaneMerger::Advance() {
  if (++current_ == static_cast<int>(lanes_.size())) {
    current_ = 0;
    ++chunk_;
  }
}

}  // namespace tidemill::worker
