#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace tidemill {

// Runs tasks. The seam between our actors (job, worker, slot) and threads: in production each actor
// has a thread, in a simulation all of them share one and time is virtual.
//
// A serial executor runs its tasks one at a time, in the order of Post from one thread. A task
// never blocks on a serial executor; blocking work goes to an I/O pool. *Thread-safe.*
class Executor {
 public:
  using Task = std::function<void()>;

  virtual ~Executor() = default;
  // Never runs the task before it returns. Tasks posted after Stop are dropped.
  virtual void Post(Task task) = 0;
  virtual void PostAfter(std::chrono::nanoseconds delay, Task task) = 0;
  // Finishes the tasks that have begun, drops the others and joins the threads; not from a task of
  // this executor. Afterwards Post is harmless, so that actors that know each other can be stopped
  // one after the other before any of them is destroyed.
  virtual void Stop() = 0;
};

// One named thread. The destructor stops it.
std::unique_ptr<Executor> MakeThreadExecutor(std::string name);

// `threads` threads that take tasks in order; for blocking file, fsync and network calls. The
// destructor stops them.
std::unique_ptr<Executor> MakePoolExecutor(std::string name, int threads);

}  // namespace tidemill
