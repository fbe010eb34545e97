#include "driver/api/follow_queue.h"

#include <fmt/format.h>

#include <utility>

namespace tidemill::driver {

namespace {

constexpr size_t kQueuedBytes = size_t{1} << 20;
constexpr size_t kMessageBytes = size_t{64} << 10;

}  // namespace

void FollowQueue::Push(std::string_view text) {
  // What was lost once is told before anything newer is kept.
  if (lost_bytes_ > 0 || bytes_ + text.size() > kQueuedBytes) {
    lost_bytes_ += text.size();
    return;
  }
  texts_.emplace_back(text);
  bytes_ += text.size();
}

void FollowQueue::SetOutcome(proto::JobInfo outcome) { outcome_ = std::move(outcome); }

std::optional<proto::FollowReply> FollowQueue::Next() {
  proto::FollowReply reply;
  if (!texts_.empty()) {
    std::string* console = reply.mutable_console();
    while (!texts_.empty() && console->size() < kMessageBytes) {
      bytes_ -= texts_.front().size();
      console->append(texts_.front());
      texts_.pop_front();
    }
    return reply;
  }
  if (lost_bytes_ > 0) {
    reply.set_console(fmt::format("[{} bytes of output were lost: read too slowly]\n",
                                  std::exchange(lost_bytes_, 0)));
    return reply;
  }
  if (!outcome_.has_value()) return std::nullopt;
  *reply.mutable_outcome() = *std::exchange(outcome_, std::nullopt);
  return reply;
}

}  // namespace tidemill::driver
