#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "worker/worker.h"

namespace tidemill::worker {

// Keeps a worker registered with the newest driver: finds it, opens a control stream, registers
// with what the worker has of its jobs, exchanges heartbeats, and begins anew (back-off 50 ms to 1
// s) when the stream ends or the driver's lease runs out. Messages about jobs go to the worker. A
// driver with a lower cluster term than one seen before is not taken. On the worker's executor, so
// it too runs in a simulation. *Thread-safe.*
class DriverLink {
 public:
  struct Options {
    // Must outlive the link and what its executors still run.
    Worker* worker = nullptr;
    Clock* clock = nullptr;
    Executor* executor = nullptr;  // the worker's
    Executor* io = nullptr;        // `connect` is called on it
    // Opens a control stream to the driver that is the best guess now; null where there is none.
    // `attempt` counts from 0 after each stream that was registered.
    std::function<std::shared_ptr<DriverStream>(int attempt)> connect;
    std::string exchange_address;
    std::string build;
    int64_t memory_bytes = 0;
    // How long a driver may take to answer Register. Its own lease counts from then on.
    std::chrono::microseconds registration_patience{5'000'000};
    // The link has ended for good: OK after Leave, or why the driver refused. Called once, on the
    // executor.
    std::function<void(const arrow::Status&)> on_end;
  };
  explicit DriverLink(Options options);
  ~DriverLink();  // As Stop.

  void Start();
  // Asks the driver to let the worker go; or, where no driver is connected or it goes meanwhile,
  // does not wait for that. Ends when the worker has left what it has to its next incarnation
  // (Worker::Keep).
  void Leave();
  // Ends without a word; on_end is not called.
  void Stop();

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::worker
