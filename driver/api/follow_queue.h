#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "proto/cluster.pb.h"

namespace tidemill::driver {

// What one follower of a job has still to be sent: console text, at most a mebibyte, then the
// outcome. Text that does not fit is lost, and a note says how much, where it would have stood.
// *Thread-compatible.*
class FollowQueue {
 public:
  void Push(std::string_view text);
  void SetOutcome(proto::JobInfo outcome);

  // The next message; nothing where there is none yet, or none any more.
  std::optional<proto::FollowReply> Next();

 private:
  std::deque<std::string> texts_;
  size_t bytes_ = 0;
  size_t lost_bytes_ = 0;
  std::optional<proto::JobInfo> outcome_;
};

}  // namespace tidemill::driver
