#include "worker/exchange/lane_merger.h"

#include <utility>

#include "common/base/check.h"

namespace tidemill::worker {

LaneMerger::LaneMerger(int lanes) : lanes_(lanes), open_lanes_(lanes) {}

void LaneMerger::Add(ExchangeFrame frame) {
  TIDEMILL_CHECK(frame.lane >= 0 && frame.lane < static_cast<int>(lanes_.size()));
  lanes_[frame.lane].frames.push_back(std::move(frame));
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
