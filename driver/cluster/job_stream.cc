#include "driver/cluster/job_stream.h"

#include <utility>

namespace tidemill::driver {

JobStream::JobStream(std::shared_ptr<WorkerStream> control, std::shared_ptr<Lane> lane,
                     std::function<void()> on_closed)
    : control_(std::move(control)), lane_(std::move(lane)), on_closed_(std::move(on_closed)) {}

JobStream::~JobStream() { Close(); }

void JobStream::Start(Executor* executor, Handlers handlers) {
  lane_->Start(executor, {.on_message = std::move(handlers.on_message),
                          .on_close = std::move(handlers.on_close)});
}

void JobStream::Send(proto::ToWorker message) {
  if (!is_closed_.load()) control_->Send(std::move(message));
}

void JobStream::Close() {
  if (is_closed_.exchange(true)) return;
  lane_->Cut();
  on_closed_();
}

}  // namespace tidemill::driver
