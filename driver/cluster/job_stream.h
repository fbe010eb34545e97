#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "common/transport/in_memory_stream.h"
#include "driver/job/job_runner.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

// One job's part of a worker's control stream. What is sent goes straight out on the control
// stream; what the registry takes off it for this job is pushed into the lane and delivered on the
// job's executor. *Thread-safe.*
class JobStream final : public WorkerStream {
 public:
  using Lane = internal::InMemoryLane<proto::ToDriver>;

  // `on_closed` is called once, by the first Close or the destructor, on any thread.
  JobStream(std::shared_ptr<WorkerStream> control, std::shared_ptr<Lane> lane,
            std::function<void()> on_closed);
  ~JobStream() override;

  void Start(Executor* executor, Handlers handlers) override;
  void Send(proto::ToWorker message) override;
  void Close() override;

 private:
  const std::shared_ptr<WorkerStream> control_;
  const std::shared_ptr<Lane> lane_;
  const std::function<void()> on_closed_;
  // Relaxed would do for Send, which promises nothing about a concurrent Close; the exchange in
  // Close decides who calls on_closed_.
  std::atomic<bool> is_closed_{false};
};

}  // namespace tidemill::driver
