#pragma once

#include <arrow/status.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
    Worker* worker = nullptr;  // must outlive the link
    Clock* clock = nullptr;
    Executor* executor = nullptr;  // the worker's
    // Opens a control stream to the driver that is the best guess now; null where there is none.
    // Called on an I/O thread's behalf: must not block for long.
    std::function<std::shared_ptr<DriverStream>()> connect;
    std::string exchange_address;
    std::string build;
    int64_t memory_bytes = 0;
    // The link has ended for good: OK after Leave, or why the driver refused. Called once.
    std::function<void(const arrow::Status&)> on_end;
  };
  explicit DriverLink(Options options);
  ~DriverLink();

  void Start();
  // Asks the driver to let the worker go; ends at once where no driver is connected.
  void Leave();
  void Stop();

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::worker
